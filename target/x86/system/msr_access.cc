// SPDX-License-Identifier: GPL-2.0-or-later
// RDMSR and WRMSR: storage, the registers with members of their own, and the bus's.
#include "rhea/util/log.h"
#include "target/x86/system/checks.h"
#include "target/x86/system/control.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/msr.h"
#include "target/x86/system/protection_keys.h"

#include <optional>

namespace rhea::x86 {
namespace {

using namespace system;

constexpr u64 kMtrrCapabilities = 0x500 | msr::kVariableMtrrs;  // fixed ranges, write-combining
constexpr u64 kMcgCapabilities = u64{1} << 24 | 1 << 8 | msr::kMcBanks;
constexpr u64 kMicrocodeIntel = u64{1} << 32;
constexpr u64 kMicrocodeAmd = 0x0100'0065;

/// Registers that are a member of Cpu and take any value.
u64* member(Cpu& cpu, u32 index) {
  switch (index) {
    case msr::kSysenterCs: return &cpu.sysenter_cs;
    case msr::kStar: return &cpu.star;
    case msr::kMiscEnable: return &cpu.misc_enable;
    default: return nullptr;
  }
}

/// Those that hold a linear address.
u64* address_member(Cpu& cpu, u32 index) {
  switch (index) {
    case msr::kSysenterEsp: return &cpu.sysenter_esp;
    case msr::kSysenterEip: return &cpu.sysenter_eip;
    case msr::kLstar: return &cpu.lstar;
    case msr::kCstar: return &cpu.cstar;
    case msr::kFsBase: return &cpu.seg[Fs].base;
    case msr::kGsBase: return &cpu.seg[Gs].base;
    case msr::kKernelGsBase: return &cpu.kernel_gs_base;
    default: return nullptr;
  }
}

/// AMD's performance counters, whose four pairs no CPUID bit tells of (APM vol. 2, 13.2.1): they
/// are there and stay at zero, so that a guest finds out that they do not count.
bool is_amd_counter(const Cpu& cpu, u32 index) {
  return is_amd(cpu) && index - msr::kAmdCountersFirst < msr::kAmdCounters;
}

std::optional<u64> read_constant(const Cpu& cpu, u32 index) {
  if (is_amd_counter(cpu, index)) return 0;
  switch (index) {
    case msr::kMtrrCap: return kMtrrCapabilities;
    case msr::kMcgCap: return kMcgCapabilities;
    case msr::kMicrocode: return is_amd(cpu) ? kMicrocodeAmd : kMicrocodeIntel;
    case msr::kArchCapabilities: return cpu.model->arch_capabilities;
    case msr::kPerfStatus: return u64{1000} << 32 | 4;  // as QEMU has it
    case 0x1db:                                         // last branch and exception records
    case 0x1dc:
    case 0x1dd:
    case 0x1de: return 0;
    case 0x17: return 0;  // IA32_PLATFORM_ID
    case 0x2a: return 0;  // EBL_CR_POWERON
    case 0xcd: return 0;  // MSR_FSB_FREQ
    case 0xce: return 0;  // MSR_PLATFORM_INFO
    default: return std::nullopt;
  }
}

/// Registers that take a write and forget it.
bool ignores_write(const Cpu& cpu, u32 index, u64 value) {
  if (is_amd_counter(cpu, index)) return true;
  switch (index) {
    case msr::kPredCmd: return (value & ~u64{1}) == 0;
    case 0x79: return true;  // microcode update, Intel
    case msr::kMicrocode: return value == 0 && !is_amd(cpu);
    case 0xc001'0020: return is_amd(cpu);  // microcode update, AMD
    default: return false;
  }
}

void write_tsc(Cpu& cpu, u64 value) {
  const u64 offset = value - cpu.bus->tsc();
  if (has_msr(*cpu.model, msr::kTscAdjust)) cpu.msrs[msr::kTscAdjust] += offset - cpu.tsc_offset;
  cpu.tsc_offset = offset;
  cpu.bus->tsc_moved();
}

void write_tsc_adjust(Cpu& cpu, u64 value) {
  u64& adjust = cpu.msrs[msr::kTscAdjust];
  cpu.tsc_offset += value - adjust;
  adjust = value;
  cpu.bus->tsc_moved();
}

bool write_plain(Cpu& cpu, const PlainMsr& row, u32 index, u64 value) {
  if ((value & ~row.writable) != 0 || !valid_msr_value(*cpu.model, index, value)) return false;
  u64& stored = cpu.msrs[index];
  // Bit 0 of IA32_FEATURE_CONTROL locks it.
  if (index == msr::kFeatureControl && (stored & 1) != 0) return false;
  stored = value;
  return true;
}

bool valid_address(const Cpu& cpu, u64 value) {
  const unsigned unused = 64 - cpu.model->linear_bits;
  return static_cast<u64>(static_cast<i64>(value << unused) >> unused) == value;
}

}  // namespace

bool read_msr(Cpu& cpu, u32 index, u64& value) {
  if (!has_msr(*cpu.model, index)) return false;
  if (const u64* plain = member(cpu, index)) {
    value = *plain;
    return true;
  }
  if (const u64* address = address_member(cpu, index)) {
    value = *address;
    return true;
  }
  switch (index) {
    case msr::kTsc: value = cpu.bus->tsc() + cpu.tsc_offset; return true;
    case msr::kEfer: value = cpu.efer; return true;
    case msr::kSfmask: value = cpu.sfmask; return true;
    case msr::kTscAux: value = cpu.tsc_aux; return true;
    case msr::kPkrs: value = cpu.pkrs; return true;
    case msr::kTscAdjust: value = cpu.msrs[index]; return true;
    default: break;
  }
  if (const auto constant = read_constant(cpu, index)) {
    value = *constant;
    return true;
  }
  if (find_plain_msr(index) != nullptr) {
    value = cpu.msrs[index];
    return true;
  }
  return cpu.bus->read_msr(index, value);
}

bool write_msr(Cpu& cpu, u32 index, u64 value) {
  if (!has_msr(*cpu.model, index)) return false;
  if (u64* plain = member(cpu, index)) {
    *plain = value;
    return true;
  }
  if (u64* address = address_member(cpu, index)) {
    if (!valid_address(cpu, value)) return false;
    *address = value;
    return true;
  }
  switch (index) {
    case msr::kTsc: write_tsc(cpu, value); return true;
    case msr::kTscAdjust: write_tsc_adjust(cpu, value); return true;
    case msr::kEfer: return write_efer(cpu, value);
    case msr::kSfmask: cpu.sfmask = static_cast<u32>(value); return true;
    case msr::kTscAux:
      if (value >> 32 != 0) return false;
      cpu.tsc_aux = value;
      return true;
    case msr::kPkrs:
      if (value >> 32 != 0) return false;
      set_pkrs(cpu, static_cast<u32>(value));
      return true;
    default: break;
  }
  if (const PlainMsr* row = find_plain_msr(index)) return write_plain(cpu, *row, index, value);
  return ignores_write(cpu, index, value) || cpu.bus->write_msr(index, value);
}

namespace system {

void rdmsr(Cpu& cpu, const Insn&) {
  require_cpl0(cpu);
  const u32 index = cpu.reg<u32>(Rcx);
  u64 value = 0;
  if (!read_msr(cpu, index, value)) {
    log_guest("cpu", "RDMSR of unknown register {:#x}", index);
    raise(Vector::Gp, 0);
  }
  cpu.set_reg<u32>(Rax, static_cast<u32>(value));
  cpu.set_reg<u32>(Rdx, static_cast<u32>(value >> 32));
}

void wrmsr(Cpu& cpu, const Insn&) {
  require_cpl0(cpu);
  const u32 index = cpu.reg<u32>(Rcx);
  const u64 value = u64{cpu.reg<u32>(Rdx)} << 32 | cpu.reg<u32>(Rax);
  if (!write_msr(cpu, index, value)) {
    log_guest("cpu", "WRMSR of {:#x} with {:#x} refused", index, value);
    raise(Vector::Gp, 0);
  }
}

}  // namespace system
}  // namespace rhea::x86
