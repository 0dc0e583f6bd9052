// SPDX-License-Identifier: GPL-2.0-or-later
// A software processor at CPL 3 with the host's pages and segments.
#include "tests/cpu/integer_guest.h"

#include "target/x86/host_features.h"
#include "target/x86/isa/row.h"
#include "target/x86/system/segments.h"

#include <algorithm>

namespace rhea::x86 {
namespace {

constexpr u64 kGuestWindow = 0x10'0000, kGuestTable = 0xb000, kGuestLdt = 0xc000;
constexpr u16 kLdtLimit = 0x3f;

bool repeats(const Insn& insn) {
  const bool string = insn.memory() && insn.opcode >= 0xa4 && insn.opcode <= 0xaf &&
                      (insn.opcode & 0xfe) != 0xa8 &&
                      isa::rows()[insn.row].map == isa::Map::OneByte;
  return string && (insn.has(kRep) || insn.has(kRepne));
}

/// There is no IDT: which gate was looked for is in the error code.
bool overflow_trap(const Insn& insn, const Fault& fault) {
  constexpr u32 kGate4 = 4 * 8 + 2;
  return isa::rows()[insn.row].mnemonic == "into" && fault.vector == Vector::Gp &&
         fault.error == kGate4;
}

}  // namespace

IntegerGuest::IntegerGuest(NativeMode mode)
    : bench_(host_vendor()), code_bits_(layout(mode).code_bits) {
  bench_.model.features &= host_supported_features();
  bench_.cpu.cr4 |= cr4::kOsfxsr | cr4::kOsxmmexcpt | cr4::kOsxsave;
  bench_.cpu.xcr0 = 7;
  bench_.enter_long();
  const u64 directory = test::CpuBench::kTables + 0x2000;
  for (u64 i = 0; i < 512; ++i) bench_.poke<u64>(directory + 8 * i, i == 0 ? 0x83 : 0);
  bench_.poke<u64>(directory + 8 * (kWindow >> 21), kGuestTable | 7);
  for (u64 i = 0; i < 3; ++i)
    bench_.poke<u64>(kGuestTable + 8 * i,
                     (kGuestWindow + 0x1000 * i) | (i == 2 ? 5 : 7) | u64{1} << 63);
  bench_.poke<u16>(test::CpuBench::kTss + 0x66, 0xffff);  // no port is allowed
  for (const HostSegment& s : kHostSegments)
    bench_.poke<u64>((s.local() ? kGuestLdt : test::CpuBench::kGdt) + (s.selector & 0xfff8u),
                     test::descriptor(s.base, s.limit, s.attributes));
  bench_.poke<u64>(test::CpuBench::kGdt + kProcessorNumber,
                   test::descriptor(0, kProcessorNumberLimit, 0x40f5));
  bench_.cpu.gdtr.limit = kHostGdtLimit;
  bench_.cpu.ldtr = {};
  bench_.cpu.ldtr.base = kGuestLdt;
  bench_.cpu.ldtr.limit = kLdtLimit;
  bench_.cpu.ldtr.attributes = 0x82;
  for (unsigned segment = Es; segment <= Gs; ++segment)
    load(segment, segment == Cs ? layout(mode).code_selector : segment == Fs ? u16{0} : kHostData);
  bench_.cpu.set_cpl(3);
}

u8* IntegerGuest::window() { return bench_.page(kGuestWindow).read; }

DecodeMode IntegerGuest::decode_mode() const {
  return {.code_bits = code_bits_, .features = &bench_.model.features, .amd = is_amd()};
}

void IntegerGuest::load(unsigned segment, u16 selector) {
  SegmentRegister& s = bench_.cpu.seg[segment];
  s = {};
  s.selector = selector;
  s.unusable = true;
  if (system::is_null(selector)) return;
  if (const auto d = system::find_descriptor(bench_.cpu, selector))
    s = system::segment_from(selector, *d);
}

std::optional<Fault> IntegerGuest::run(const Insn& insn, const NativeState& state) {
  Cpu& cpu = bench_.cpu;
  const u16 code = cpu.seg[Cs].selector;
  for (const unsigned segment : {Es, Cs, Ss, Ds, Gs})
    if (cpu.seg[segment].selector != state.seg[segment] || cpu.seg[segment].unusable)
      load(segment, state.seg[segment]);
  if (cpu.seg[Cs].selector != code) cpu.set_cpl(3);
  std::ranges::copy(state.gpr, cpu.gpr.begin());
  cpu.set_rip(state.rip);
  cpu.set_rflags(state.rflags);
  cpu.attention = 0;
  cpu.leave_block = false;
  std::optional<Fault> fault = bench_.execute(insn);
  // A repeated instruction asks to be gone on with from time to time.
  while (!fault && repeats(insn) && cpu.rip() == state.rip) {
    cpu.leave_block = false;
    // Not so the host: if it faults, Intel's flags are those before the whole of it.
    if (!is_amd()) cpu.set_rflags(state.rflags);
    fault = bench_.execute(insn);
  }
  if (fault && overflow_trap(insn, *fault)) {
    fault = Fault{.vector = Vector::Of};
    cpu.set_rip(state.rip + insn.length);
  }
  return fault;
}

}  // namespace rhea::x86
