// SPDX-License-Identifier: GPL-2.0-or-later
// Bits of the system registers, by their SDM names.
#pragma once

#include "rhea/util/types.h"

namespace rhea::x86 {

namespace eflags {
inline constexpr u64 kCf = 1 << 0, kFixed = 1 << 1, kPf = 1 << 2, kAf = 1 << 4, kZf = 1 << 6,
                     kSf = 1 << 7, kTf = 1 << 8, kIf = 1 << 9, kDf = 1 << 10, kOf = 1 << 11,
                     kIopl = 3 << 12, kNt = 1 << 14, kRf = 1 << 16, kVm = 1 << 17, kAc = 1 << 18,
                     kVif = 1 << 19, kVip = 1 << 20, kId = 1 << 21;
inline constexpr u64 kStatus = kCf | kPf | kAf | kZf | kSf | kOf;
}  // namespace eflags

namespace cr0 {
inline constexpr u64 kPe = 1 << 0, kMp = 1 << 1, kEm = 1 << 2, kTs = 1 << 3, kEt = 1 << 4,
                     kNe = 1 << 5, kWp = 1 << 16, kAm = 1 << 18, kNw = 1 << 29, kCd = 1 << 30,
                     kPg = u64{1} << 31;
}  // namespace cr0

namespace cr4 {
inline constexpr u64 kVme = 1 << 0, kPvi = 1 << 1, kTsd = 1 << 2, kDe = 1 << 3, kPse = 1 << 4,
                     kPae = 1 << 5, kMce = 1 << 6, kPge = 1 << 7, kPce = 1 << 8, kOsfxsr = 1 << 9,
                     kOsxmmexcpt = 1 << 10, kUmip = 1 << 11, kLa57 = 1 << 12, kFsgsbase = 1 << 16,
                     kPcide = 1 << 17, kOsxsave = 1 << 18, kSmep = 1 << 20, kSmap = 1 << 21,
                     kPke = 1 << 22, kPks = 1 << 24;
}  // namespace cr4

namespace efer {
inline constexpr u64 kSce = 1 << 0, kLme = 1 << 8, kLma = 1 << 10, kNxe = 1 << 11, kFfxsr = 1 << 14;
}  // namespace efer

/// Bits of a page fault's error code.
namespace pf {
inline constexpr u32 kPresent = 1 << 0, kWrite = 1 << 1, kUser = 1 << 2, kReserved = 1 << 3,
                     kFetch = 1 << 4, kKey = 1 << 5;
}  // namespace pf

namespace dr6 {
inline constexpr u64 kReset = 0xffff0ff0, kBd = 1 << 13, kBs = 1 << 14, kBt = 1 << 15;
}  // namespace dr6

namespace apic_base {
inline constexpr u64 kBsp = 1 << 8, kX2apic = 1 << 10, kEnable = 1 << 11;
}  // namespace apic_base

}  // namespace rhea::x86
