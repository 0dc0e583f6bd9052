// SPDX-License-Identifier: GPL-2.0-or-later
// The model-specific registers that are plain storage: what may be written to them.
#include "target/x86/hyperv.h"
#include "target/x86/system/msr.h"

#include <algorithm>
#include <array>
#include <vector>

namespace rhea::x86::system {
namespace {

constexpr u64 kAll = ~u64{0};
constexpr u64 kPatReset = 0x0007'0406'0007'0406;

constexpr std::array kPlain = {
    PlainMsr{.first = msr::kFeatureControl, .reset = 1, .writable = 0xf'ff07},
    PlainMsr{.first = msr::kSpecCtrl, .writable = 0x7},
    PlainMsr{.first = msr::kMcgStatus, .writable = 0x7},
    PlainMsr{.first = msr::kMcgCtl, .writable = kAll},
    PlainMsr{.first = msr::kMtrrFirst, .count = 2 * msr::kVariableMtrrs, .writable = kAll},
    PlainMsr{.first = 0x250, .writable = kAll},
    PlainMsr{.first = 0x258, .count = 2, .writable = kAll},
    PlainMsr{.first = 0x268, .count = 8, .writable = kAll},
    PlainMsr{.first = msr::kPat, .reset = kPatReset, .writable = kAll},
    PlainMsr{.first = msr::kMtrrDefault, .writable = 0xcff},
    PlainMsr{.first = msr::kMcBankFirst, .count = 4 * msr::kMcBanks, .writable = kAll},
    PlainMsr{.first = 0x1d9, .writable = 0x3},  // IA32_DEBUGCTL: LBR, BTF
    PlainMsr{.first = msr::kHwcr, .writable = 0xffff'ffff},
    PlainMsr{.first = msr::kSyscfg, .writable = 0x007f'0000},
    PlainMsr{.first = msr::kIorrFirst, .count = 4, .writable = kAll},
    PlainMsr{.first = msr::kTopMem, .writable = kAll},
    PlainMsr{.first = msr::kTopMem2, .writable = kAll},
    PlainMsr{.first = msr::kIntPending, .writable = 0x1fff'ffff},
};

/// Uncacheable, write-combining, write-through, write-protected, write-back; PAT has UC- too.
bool is_memory_type(u64 type, bool pat) {
  return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

bool all_memory_types(u64 value, bool pat) {
  for (unsigned i = 0; i < 8; ++i)
    if (!is_memory_type(value >> 8 * i & 0xff, pat)) return false;
  return true;
}

bool is_variable_mtrr(u32 index) {
  return index >= msr::kMtrrFirst && index < msr::kMtrrFirst + 2 * msr::kVariableMtrrs;
}
bool is_fixed_mtrr(u32 index) {
  return index == 0x250 || index == 0x258 || index == 0x259 || (index >= 0x268 && index <= 0x26f);
}

bool valid_variable_mtrr(const CpuModel& model, u32 index, u64 value) {
  if ((value & ~model.physical_mask()) != 0) return false;
  if ((index & 1) != 0) return (value & 0x7ff) == 0;
  return (value & 0xf00) == 0 && is_memory_type(value & 0xff, false);
}

/// A bank's control takes all ones or zeros, but for two bits that systems are known to leave out;
/// its status can only be cleared.
bool valid_bank(u32 index, u64 value) {
  if ((index & 3) == 0) return value == 0 || (value | 1 << 10 | 1) == kAll;
  return (index & 3) != 1 || value == 0;
}

}  // namespace

std::span<const PlainMsr> plain_msrs() { return kPlain; }

const PlainMsr* find_plain_msr(u32 index) {
  const auto row =
      std::ranges::find_if(kPlain, [&](const PlainMsr& r) { return index - r.first < r.count; });
  return row == kPlain.end() ? nullptr : &*row;
}

bool has_msr(const CpuModel& model, u32 index) {
  const bool amd = model.is_amd();
  if (is_variable_mtrr(index) || is_fixed_mtrr(index)) return model.has(Feature::Mtrr);
  if (index - msr::kIorrFirst < 4) return amd;
  switch (index) {
    case msr::kMtrrCap:
    case msr::kMtrrDefault: return model.has(Feature::Mtrr);
    case msr::kPat: return model.has(Feature::Pat);
    case msr::kSpecCtrl: return model.has(Feature::SpecCtrl) || model.has(Feature::Ssbd);
    case msr::kPredCmd: return model.has(Feature::SpecCtrl) || model.has(Feature::Ibpb);
    case msr::kArchCapabilities: return model.has(Feature::ArchCapabilities);
    case msr::kTscAdjust: return model.has(Feature::TscAdjust);
    case msr::kPkrs: return model.has(Feature::Pks);
    case msr::kTscAux: return model.has(Feature::Rdtscp) || model.has(Feature::Rdpid);
    case msr::kFeatureControl: return !amd;
    case msr::kHwcr:
    case msr::kSyscfg:
    case msr::kTopMem:
    case msr::kTopMem2:
    case msr::kIntPending: return amd;
    case msr::kStar: return model.has(Feature::Syscall);
    case msr::kLstar:
    case msr::kCstar:
    case msr::kSfmask:
    case msr::kFsBase:
    case msr::kGsBase:
    case msr::kKernelGsBase: return model.has(Feature::Lm);
    case msr::kSysenterCs:
    case msr::kSysenterEsp:
    case msr::kSysenterEip: return model.has(Feature::Sep);
    default: return true;
  }
}

bool valid_msr_value(const CpuModel& model, u32 index, u64 value) {
  if (index == msr::kPat) return all_memory_types(value, true);
  if (is_fixed_mtrr(index)) return all_memory_types(value, false);
  if (is_variable_mtrr(index)) return valid_variable_mtrr(model, index, value);
  if (index == msr::kMtrrDefault) return is_memory_type(value & 0xff, false);
  if (index - msr::kMcBankFirst < 4 * msr::kMcBanks) return valid_bank(index, value);
  return true;
}

void reset_msrs(Cpu& cpu) {
  cpu.msrs.clear();
  for (const PlainMsr& row : kPlain)
    for (u32 i = 0; i < row.count; ++i)
      if (has_msr(*cpu.model, row.first + i)) cpu.msrs[row.first + i] = row.reset;
  if (has_msr(*cpu.model, msr::kTscAdjust)) cpu.msrs[msr::kTscAdjust] = 0;
  for (u32 bank = 0; bank < msr::kMcBanks; ++bank) cpu.msrs[msr::kMcBankFirst + 4 * bank] = kAll;
}

std::span<const u32> saved_msrs() {
  static const std::vector<u32> kList = [] {
    // IA32_TSC first: writing it moves IA32_TSC_ADJUST.
    std::vector<u32> list = {msr::kTsc,         msr::kTscAdjust,    msr::kSysenterCs,
                             msr::kSysenterEsp, msr::kSysenterEip,  msr::kMiscEnable,
                             msr::kStar,        msr::kLstar,        msr::kCstar,
                             msr::kSfmask,      msr::kKernelGsBase, msr::kTscAux,
                             msr::kTscDeadline, msr::kPkrs};
    for (const PlainMsr& row : kPlain)
      for (u32 i = 0; i < row.count; ++i) list.push_back(row.first + i);
    // The bus's. Last, since the page about the counter tells of it as it is.
    for (const u32 index : {hyperv_msr::kGuestOsId, hyperv_msr::kHypercall,
                            hyperv_msr::kVpAssistPage, hyperv_msr::kReferenceTsc})
      list.push_back(index);
    return list;
  }();
  return kList;
}

}  // namespace rhea::x86::system
