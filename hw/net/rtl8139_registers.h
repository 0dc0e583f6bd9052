// SPDX-License-Identifier: GPL-2.0-or-later
// Bits of the registers and descriptors of Realtek's RTL8139C(L) and RTL8139C+ (their datasheets,
// chapters "Register Descriptions" and "C+ Mode").
#pragma once

#include "rhea/util/types.h"

#include <cstddef>

namespace rhea::hw::rtl8139 {

// CR
inline constexpr u8 kBufferEmpty = 0x01, kSendEnable = 0x04, kReceiveEnable = 0x08, kReset = 0x10;

// IMR, ISR
inline constexpr u16 kIntReceived = 1u << 0, kIntReceiveError = 1u << 1, kIntSent = 1u << 2,
                     kIntSendError = 1u << 3, kIntOverflow = 1u << 4, kIntLink = 1u << 5,
                     kIntFifoOverflow = 1u << 6, kIntNothingToSend = 1u << 7,
                     kIntSoftware = 1u << 8, kIntCableLength = 1u << 13, kIntTimer = 1u << 14,
                     kIntSystemError = 1u << 15;
inline constexpr u16 kIntAll = 0xe1ff;

// TSD
inline constexpr u32 kSendSize = 0x1fff, kSendOwn = 1u << 13, kSendUnderrun = 1u << 14,
                     kSendOk = 1u << 15, kSendThreshold = 0x3f0000, kSendAborted = 1u << 30;
// TSAD (the summary at 0x60): four bits of each kind, one a descriptor
inline constexpr unsigned kSummaryOwn = 0, kSummaryAborted = 4, kSummaryUnderrun = 8,
                          kSummaryOk = 12;

// TCR
inline constexpr u32 kClearAbort = 1u << 0, kOwnCheck = 1u << 16, kLoopback = 3u << 17;
/// What an RTL8139C+ calls itself (HWVERID).
inline constexpr u32 kVersion = 0x7480'0000;
inline constexpr u32 kTcrWritable = 0x0307'07f1;

// RCR
inline constexpr u32 kAllPhysical = 1u << 0, kAcceptOwn = 1u << 1, kAcceptMulticast = 1u << 2,
                     kAcceptBroadcast = 1u << 3, kAcceptRunts = 1u << 4, kAcceptErrors = 1u << 5,
                     kNoWrap = 1u << 7;
inline constexpr u32 kEarlyThreshold = 0x0f00'0000;

// A received frame's header
inline constexpr u16 kGotOk = 1u << 0, kGotBroadcast = 1u << 13, kGotOwn = 1u << 14,
                     kGotMulticast = 1u << 15;

// ERSR
inline constexpr u8 kEarlyOk = 0x01, kEarlyGood = 0x08;

// 9346CR: what the upper bits choose, and the EEPROM's wires
inline constexpr u8 kModeBits = 0xc0, kModeLoad = 0x40, kModeProgram = 0x80, kModeConfig = 0xc0;
inline constexpr u8 kEepromSelect = 8, kEepromClock = 4, kEepromDataIn = 2, kEepromDataOut = 1;

// MSR
inline constexpr u8 kMediaLinkDown = 0x04, kMediaAuxPower = 0x10, kMediaWritable = 0xc0;

// BMCR, BMSR
inline constexpr u16 kPhyReset = 1u << 15, kPhyFast = 1u << 13, kPhyNegotiate = 1u << 12,
                     kPhyRestart = 1u << 9, kPhyFullDuplex = 1u << 8;
inline constexpr u16 kPhyDefaults = kPhyFast | kPhyNegotiate | kPhyFullDuplex;
inline constexpr u16 kPhyAbilities = 0x7809, kPhyNegotiated = 0x20, kPhyLink = 0x04;

// CPCR
inline constexpr u16 kPlusSend = 1u << 0, kPlusReceive = 1u << 1, kPlusSums = 1u << 5,
                     kPlusUntag = 1u << 6;
inline constexpr u16 kPlusWritable = 0x7b;

// TPPoll
inline constexpr u8 kPollHigh = 0x80, kPollNormal = 0x40, kPollSoftware = 0x01;

// DTCCR
inline constexpr u32 kDump = 1u << 3;

// Descriptors of C+ mode
inline constexpr u32 kOwn = 1u << 31, kEndOfRing = 1u << 30, kFirst = 1u << 29, kLast = 1u << 28;
inline constexpr u32 kLargeSend = 1u << 27, kSendIp = 1u << 18, kSendUdp = 1u << 17,
                     kSendTcp = 1u << 16, kSendFailures = 0x02ff'0000;
inline constexpr u32 kSendTag = 1u << 17;  ///< of the second word
inline constexpr u32 kReceiveSize = 0x1fff;
inline constexpr u32 kPlusMulticast = 1u << 27, kPlusOwn = 1u << 26, kPlusBroadcast = 1u << 25;
inline constexpr u32 kPlusTcp = 1u << 17, kPlusUdp = 1u << 18, kPlusIp = 3u << 17,
                     kPlusBadIp = 1u << 16, kPlusBadUdp = 1u << 15, kPlusBadTcp = 1u << 14;
inline constexpr u32 kGotTag = 1u << 16;  ///< of the second word
inline constexpr unsigned kDescriptorBytes = 16, kMostDescriptors = 64;

// Frames
inline constexpr std::size_t kCheckBytes = 4, kShortest = 60, kLongest = 4096 - kCheckBytes;
/// What descriptors are put together to: 64 KiB of payload and headers.
inline constexpr std::size_t kMostGathered = 65 * 1024;
inline constexpr u16 kVlanType = 0x8100;

}  // namespace rhea::hw::rtl8139
