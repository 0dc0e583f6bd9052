// SPDX-License-Identifier: GPL-2.0-or-later
// Instruction pointer, flags, segment bases and control registers; what a debugger may make of
// them.
#include "gdbstub/system_registers.h"

#include "target/x86/registers.h"

#include <algorithm>

namespace rhea::gdbstub {
namespace {

using Kind = RegisterKind;

constexpr u32 kKernelGsBaseMsr = 0xc000'0102;
constexpr u64 kHigh32 = ~u64{0xffff'ffff};
constexpr u64 kEflagsBits = 0x3f'7fd7;
constexpr u64 kCr0Bits = x86::cr0::kPe | x86::cr0::kMp | x86::cr0::kEm | x86::cr0::kTs |
                         x86::cr0::kEt | x86::cr0::kNe | x86::cr0::kWp | x86::cr0::kAm |
                         x86::cr0::kNw | x86::cr0::kCd | x86::cr0::kPg;
// Others a processor may have set already; a debugger does not.
constexpr u64 kCr4Bits =
    x86::cr4::kVme | x86::cr4::kPvi | x86::cr4::kTsd | x86::cr4::kDe | x86::cr4::kPse |
    x86::cr4::kPae | x86::cr4::kMce | x86::cr4::kPge | x86::cr4::kPce | x86::cr4::kOsfxsr |
    x86::cr4::kOsxmmexcpt | x86::cr4::kUmip | x86::cr4::kFsgsbase | x86::cr4::kPcide |
    x86::cr4::kOsxsave | x86::cr4::kSmep | x86::cr4::kSmap | x86::cr4::kPke | x86::cr4::kPks;
constexpr u64 kEferBits =
    x86::efer::kSce | x86::efer::kLme | x86::efer::kLma | x86::efer::kNxe | x86::efer::kFfxsr;

bool canonical(const x86::CpuState& state, u64 address) {
  const unsigned unused = (state.cr4 & x86::cr4::kLa57) != 0 ? 7 : 16;
  return static_cast<u64>(static_cast<i64>(address << unused) >> unused) == address;
}

bool sets_only(u64 now, u64 value, u64 known) { return (value & ~now & ~known) == 0; }

bool write_control(x86::CpuState& state, unsigned number, u64 value) {
  switch (number) {
    case 0:
      if ((value & ~kCr0Bits) != 0) return false;
      state.cr0 = value | x86::cr0::kEt;
      return true;
    case 2: state.cr2 = value; return true;
    case 3:
      // What was loaded with CR3 is loaded anew.
      state.cr3 = value;
      state.pdpte_valid = false;
      return true;
    case 4:
      if (!sets_only(state.cr4, value, kCr4Bits)) return false;
      state.cr4 = value;
      return true;
    default:
      if (value > 15) return false;
      state.cr8 = value;
      return true;
  }
}

bool write_base(x86::CpuState& state, unsigned segment, u64 value) {
  if (segment == x86::Fs || segment == x86::Gs ? !canonical(state, value) : (value & kHigh32) != 0)
    return false;
  state.segment[segment].base = value;
  return true;
}

u64 kernel_gs_base(const x86::CpuState& state) {
  const auto it = std::ranges::find(state.msrs, kKernelGsBaseMsr, &x86::Msr::index);
  return it == state.msrs.end() ? 0 : it->value;
}

bool write_kernel_gs_base(x86::CpuState& state, u64 value) {
  const auto it = std::ranges::find(state.msrs, kKernelGsBaseMsr, &x86::Msr::index);
  if (it == state.msrs.end() || !canonical(state, value)) return false;
  it->value = value;
  return true;
}

u64 read_control(const x86::CpuState& state, unsigned number) {
  switch (number) {
    case 0: return state.cr0;
    case 2: return state.cr2;
    case 3: return state.cr3;
    case 4: return state.cr4;
    default: return state.cr8;
  }
}

bool code64(const x86::CpuState& state) {
  return (state.efer & x86::efer::kLma) != 0 && state.segment[x86::Cs].l;
}

}  // namespace

u64 read_system_register(const x86::CpuState& state, const Register& which) {
  switch (which.kind) {
    case Kind::Pc: return state.rip;
    case Kind::Flags: return state.rflags;
    case Kind::Selector: return state.segment[which.index].selector;
    case Kind::SegmentBase: return state.segment[which.index].base;
    case Kind::KernelGsBase: return kernel_gs_base(state);
    case Kind::Control: return read_control(state, which.index);
    case Kind::Efer: return state.efer;
    default: return 0;
  }
}

bool write_system_register(x86::CpuState& state, const Register& which, u64 value) {
  switch (which.kind) {
    case Kind::Pc: state.rip = value; return true;
    case Kind::Flags: state.rflags = (value & kEflagsBits) | x86::eflags::kFixed; return true;
    case Kind::SegmentBase: return write_base(state, which.index, value);
    case Kind::KernelGsBase: return write_kernel_gs_base(state, value);
    case Kind::Control: return write_control(state, which.index, value);
    case Kind::Efer:
      if (!sets_only(state.efer, value, kEferBits)) return false;
      state.efer = value;
      return true;
    default: return false;
  }
}

bool make_consistent(x86::CpuState& state) {
  using x86::efer::kLma, x86::efer::kLme;
  const bool paging = (state.cr0 & x86::cr0::kPg) != 0;
  const bool long_mode = paging && (state.efer & kLme) != 0;
  if (paging && (state.cr0 & x86::cr0::kPe) == 0) return false;
  if ((state.cr0 & x86::cr0::kNw) != 0 && (state.cr0 & x86::cr0::kCd) == 0) return false;
  if (long_mode && (state.cr4 & x86::cr4::kPae) == 0) return false;
  state.efer = long_mode ? state.efer | kLma : state.efer & ~kLma;
  if (long_mode) state.rflags &= ~x86::eflags::kVm;
  return code64(state) ? canonical(state, state.rip) : (state.rip & kHigh32) == 0;
}

}  // namespace rhea::gdbstub
