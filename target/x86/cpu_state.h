// SPDX-License-Identifier: GPL-2.0-or-later
// The architectural state of one x86 processor: what accelerators read, write and hand to each
// other.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>
#include <string>
#include <vector>

namespace rhea::x86 {

/// A segment register with its hidden part. `flags` are bits 8..23 of a descriptor's second dword,
/// as in the SDM's segment descriptor: type, S, DPL, P, AVL, L, D/B, G.
struct Segment {
  u16 selector{};
  u64 base{};
  u32 limit{};
  u32 type{};
  bool s{}, present{}, avl{}, l{}, db{}, g{}, unusable{};
  u8 dpl{};
  friend bool operator==(const Segment&, const Segment&) = default;
  static void describe(StateFields<Segment>& f);
};

struct DescriptorTable {
  u64 base{};
  u16 limit{};
  friend bool operator==(const DescriptorTable&, const DescriptorTable&) = default;
  static void describe(StateFields<DescriptorTable>& f);
};

struct Msr {
  u32 index{};
  u64 value{};
  friend bool operator==(const Msr&, const Msr&) = default;
  static void describe(StateFields<Msr>& f);
};

enum class MpState : u8 { Runnable, Uninitialized, InitReceived, Halted, SipiReceived };

/// Exceptions, interrupts, NMIs and SMIs on their way (as KVM_GET_VCPU_EVENTS gives them).
struct Events {
  bool exception_injected{}, exception_pending{}, exception_has_error_code{},
      exception_has_payload{};
  u8 exception_vector{};
  u32 exception_error_code{};
  u64 exception_payload{};
  bool interrupt_injected{}, interrupt_soft{};
  u8 interrupt_vector{}, interrupt_shadow{};
  bool nmi_injected{}, nmi_masked{};
  u8 nmi_pending{};  ///< how many: one, or two before the first is taken
  u32 sipi_vector{};
  bool smm{}, smi_pending{}, smm_inside_nmi{}, smi_latched_init{}, triple_fault_pending{};
  static void describe(StateFields<Events>& f);
};

enum Gpr : unsigned {
  Rax,
  Rcx,
  Rdx,
  Rbx,
  Rsp,
  Rbp,
  Rsi,
  Rdi,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15
};
enum Seg : unsigned { Es, Cs, Ss, Ds, Fs, Gs };

struct CpuState {
  std::array<u64, 16> gpr{};  ///< SDM encoding order (Gpr)
  u64 rip{}, rflags{2};
  std::array<Segment, 6> segment{};  ///< SDM encoding order (Seg)
  Segment ldtr, tr;
  DescriptorTable gdtr, idtr;
  u64 cr0{}, cr2{}, cr3{}, cr4{}, cr8{}, efer{}, apic_base{};
  std::array<u64, 4> pdpte{};
  bool pdpte_valid{};
  std::array<u64, 4> dr{};
  u64 dr6{0xffff0ff0}, dr7{0x400};
  u64 xcr0{1};
  std::vector<u8>
      xsave;  ///< standard-format XSAVE area, at least 576 bytes (legacy region and header)
  std::vector<u8> lapic;  ///< local APIC register page, 1024 bytes; empty when there is none
  std::vector<Msr> msrs;
  Events events;
  MpState mp_state{MpState::Runnable};
  u32 tsc_khz{};
  static void describe(StateFields<CpuState>& f);
};

/// As QEMU's `info registers` shows them.
std::string format_registers(const CpuState& state, unsigned cpu_index);
/// The registers but those of x87 and vectors, as -d cpu shows them; and those.
std::string format_core_registers(const CpuState& state);
std::string format_fpu_registers(const CpuState& state);
/// AT&T syntax, one line an instruction, "address: bytes  text"; at most `count` instructions of
/// `code` at `address`. bits: 16, 32 or 64.
std::string disassemble(std::span<const u8> code, GuestVirt address, unsigned bits, unsigned count);
/// Whether these bytes begin with an instruction of any processor.
bool is_instruction(std::span<const u8> code, unsigned bits);
/// Code size of the current mode: 16, 32 or 64.
unsigned code_bits(const CpuState& state);

}  // namespace rhea::x86
