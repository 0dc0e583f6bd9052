// SPDX-License-Identifier: GPL-2.0-or-later
// Operation codes (SPC-4, annex E; SBC-3, MMC-6).
#pragma once

#include "rhea/util/types.h"

namespace rhea::hw::scsi {

inline constexpr u8 kTestUnitReady = 0x00, kRequestSense = 0x03, kFormatUnit = 0x04, kRead6 = 0x08,
                    kWrite6 = 0x0a, kInquiry = 0x12, kModeSelect6 = 0x15, kReserve6 = 0x16,
                    kRelease6 = 0x17, kModeSense6 = 0x1a, kStartStop = 0x1b, kSendDiagnostic = 0x1d,
                    kPreventAllow = 0x1e, kReadCapacity10 = 0x25, kRead10 = 0x28, kWrite10 = 0x2a,
                    kSeek10 = 0x2b, kWriteVerify10 = 0x2e, kVerify10 = 0x2f, kSynchronize10 = 0x35,
                    kWriteSame10 = 0x41, kUnmap = 0x42, kGetConfiguration = 0x46,
                    kGetEventStatus = 0x4a, kModeSelect10 = 0x55, kReserve10 = 0x56,
                    kRelease10 = 0x57, kModeSense10 = 0x5a, kRead16 = 0x88, kWrite16 = 0x8a,
                    kWriteVerify16 = 0x8e, kVerify16 = 0x8f, kSynchronize16 = 0x91,
                    kWriteSame16 = 0x93, kServiceActionIn16 = 0x9e, kReportLuns = 0xa0,
                    kRead12 = 0xa8, kWrite12 = 0xaa, kWriteVerify12 = 0xae, kVerify12 = 0xaf;

}  // namespace rhea::hw::scsi
