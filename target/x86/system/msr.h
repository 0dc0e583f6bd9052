// SPDX-License-Identifier: GPL-2.0-or-later
// Model-specific registers (SDM vol. 4, chapter 2; AMD APM vol. 2, appendix A).
#pragma once

#include "target/x86/cpu.h"

#include <span>

namespace rhea::x86 {

namespace msr {
inline constexpr u32 kTsc = 0x10, kApicBase = 0x1b, kFeatureControl = 0x3a, kTscAdjust = 0x3b,
                     kSpecCtrl = 0x48, kPredCmd = 0x49, kMicrocode = 0x8b, kMtrrCap = 0xfe,
                     kArchCapabilities = 0x10a, kSysenterCs = 0x174, kSysenterEsp = 0x175,
                     kSysenterEip = 0x176, kMcgCap = 0x179, kMcgStatus = 0x17a, kMcgCtl = 0x17b,
                     kPerfStatus = 0x198, kMiscEnable = 0x1a0, kMtrrFirst = 0x200, kPat = 0x277,
                     kPkrs = 0x6e1, kMtrrDefault = 0x2ff, kMcBankFirst = 0x400,
                     kTscDeadline = 0x6e0, kEfer = 0xc000'0080, kStar = 0xc000'0081,
                     kLstar = 0xc000'0082, kCstar = 0xc000'0083, kSfmask = 0xc000'0084,
                     kFsBase = 0xc000'0100, kGsBase = 0xc000'0101, kKernelGsBase = 0xc000'0102,
                     kTscAux = 0xc000'0103, kAmdCountersFirst = 0xc001'0000, kSyscfg = 0xc001'0010,
                     kHwcr = 0xc001'0015, kIorrFirst = 0xc001'0016, kTopMem = 0xc001'001a,
                     kTopMem2 = 0xc001'001d, kIntPending = 0xc001'0055;
inline constexpr unsigned kVariableMtrrs = 8, kMcBanks = 10, kAmdCounters = 8;
}  // namespace msr

/// As RDMSR and WRMSR, without the privilege check; false: #GP(0).
bool read_msr(Cpu& cpu, u32 index, u64& value);
bool write_msr(Cpu& cpu, u32 index, u64 value);

namespace system {

/// A range of registers that are plain storage in Cpu::msrs.
struct PlainMsr {
  u32 first{}, count{1};
  u64 reset{};
  u64 writable{};  ///< bits that may be set; others are #GP
};
std::span<const PlainMsr> plain_msrs();
const PlainMsr* find_plain_msr(u32 index);
/// Whether the model has the feature that the register belongs to.
bool has_msr(const CpuModel& model, u32 index);
/// Memory types in PAT and the MTRRs are valid.
bool valid_msr_value(const CpuModel& model, u32 index, u64 value);

/// Restores or tells all registers at once.
void reset_msrs(Cpu& cpu);
/// Indices that a saved state holds: storage, named ones and the bus's.
std::span<const u32> saved_msrs();

}  // namespace system
}  // namespace rhea::x86
