// SPDX-License-Identifier: GPL-2.0-or-later
// Taking a processor's state, giving it back, and telling two apart.
#include "target/x86/arch_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace rhea::x86 {
namespace {

constexpr std::array<std::string_view, 17> kRegisters{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP",
                                                      "RSI", "RDI", "R8",  "R9",  "R10", "R11",
                                                      "R12", "R13", "R14", "R15", "RIP"};
constexpr std::array<std::string_view, 8> kSegments{"ES", "CS", "SS",  "DS",
                                                    "FS", "GS", "LDT", "TR"};
constexpr std::array<std::string_view, 6> kControl{"CR0", "CR2", "CR3", "CR4", "EFER", "XCR0"};
constexpr std::array<std::string_view, 6> kDebug{"DR0", "DR1", "DR2", "DR3", "DR6", "DR7"};
constexpr std::array<std::string_view, 11> kOther{
    "STAR",         "LSTAR",        "CSTAR",       "SFMASK",     "KERNEL_GS_BASE", "SYSENTER_CS",
    "SYSENTER_ESP", "SYSENTER_EIP", "MISC_ENABLE", "TSC_OFFSET", "TSC_AUX"};

using See = std::function<void(const ArchState::Name&, u64)>;

template <std::size_t kCount>
void see_all(const See& see, const std::array<std::string_view, kCount>& names,
             const std::array<u64, kCount>& values) {
  for (std::size_t n = 0; n < kCount; ++n) see({names[n]}, values[n]);
}

void see_x87(const See& see, const X87& x87) {
  for (int n = 0; n < 8; ++n) {
    const X87Register& reg = x87.reg[static_cast<unsigned>(n)];
    see({"x87 R", n, "significand"}, reg.significand);
    see({"x87 R", n, "sign and exponent"}, reg.sign_exponent);
  }
  constexpr std::array<std::string_view, 8> kNames{"FCW", "FSW", "FTW", "FOP",
                                                   "FIP", "FDP", "FCS", "FDS"};
  see_all(see, kNames, {x87.fcw, x87.fsw, x87.valid, x87.fop, x87.fip, x87.fdp, x87.fcs, x87.fds});
}

std::string text_of(const ArchState::Name& name) {
  std::string text(name.of);
  if (name.number >= 0) text += std::to_string(name.number);
  if (!name.what.empty()) text += fmt::format(" {}", name.what);
  return text;
}

}  // namespace

ArchState ArchState::of(const Cpu& cpu) {
  ArchState s{
      .flags = cpu.flags.value(),
      .eflags = cpu.eflags & ~eflags::kStatus,
      .tables = {cpu.gdtr, cpu.idtr},
      .control = {cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.efer, cpu.xcr0},
      .pdpte = cpu.pdpte,
      .debug = {cpu.dr[0], cpu.dr[1], cpu.dr[2], cpu.dr[3], cpu.dr6, cpu.dr7},
      .pkru = cpu.pkru,
      .pkrs = cpu.pkrs,
      .mxcsr = cpu.mxcsr,
      .x87 = cpu.x87,
      .ymm = cpu.ymm,
      .msrs = cpu.msrs,
      .other = {cpu.star, cpu.lstar, cpu.cstar, cpu.sfmask, cpu.kernel_gs_base, cpu.sysenter_cs,
                cpu.sysenter_esp, cpu.sysenter_eip, cpu.misc_enable, cpu.tsc_offset, cpu.tsc_aux},
      .cpl = cpu.cpl,
      .smm = cpu.smm,
      .nmi_blocked = cpu.nmi_blocked,
      .shadow = cpu.shadow,
      .activity = cpu.activity,
      .pending_db = cpu.pending_db};
  std::ranges::copy_n(cpu.gpr.begin(), 17, s.gpr.begin());
  std::ranges::copy(cpu.seg, s.seg.begin());
  s.seg[6] = cpu.ldtr;
  s.seg[7] = cpu.tr;
  return s;
}

void ArchState::put_back(Cpu& cpu) const {
  std::ranges::copy(gpr, cpu.gpr.begin());
  cpu.flags.set_value(flags);
  cpu.eflags = eflags;
  std::ranges::copy_n(seg.begin(), 6, cpu.seg.begin());
  cpu.ldtr = seg[6];
  cpu.tr = seg[7];
  cpu.gdtr = tables[0];
  cpu.idtr = tables[1];
  cpu.cr2 = control[1];
  cpu.dr6 = debug[4];
  cpu.mxcsr = mxcsr;
  cpu.x87 = x87;
  cpu.ymm = ymm;
  cpu.kernel_gs_base = other[4];
  cpu.nmi_blocked = nmi_blocked;
  cpu.shadow = shadow;
  cpu.pending_db = pending_db;
}

void ArchState::visit(const std::function<void(const Name&, u64)>& see) const {
  see_all(see, kRegisters, gpr);
  see({"status flags"}, flags);
  see({"other flags"}, eflags);
  for (std::size_t n = 0; n < kSegments.size(); ++n) {
    see({kSegments[n], -1, "selector"}, seg[n].selector);
    see({kSegments[n], -1, "attributes"}, seg[n].attributes);
    see({kSegments[n], -1, "limit"}, seg[n].limit);
    see({kSegments[n], -1, "base"}, seg[n].base);
    see({kSegments[n], -1, "unusable"}, seg[n].unusable ? 1 : 0);
  }
  for (int n = 0; n < 2; ++n) {
    const DescriptorTable& table = tables[static_cast<unsigned>(n)];
    see({n == 0 ? "GDTR" : "IDTR", -1, "base"}, table.base);
    see({n == 0 ? "GDTR" : "IDTR", -1, "limit"}, table.limit);
  }
  see_all(see, kControl, control);
  see_all(see, kDebug, debug);
  for (int n = 0; n < 4; ++n) see({"PDPTE", n}, pdpte[static_cast<unsigned>(n)]);
  see({"PKRU"}, pkru);
  see({"PKRS"}, pkrs);
  see({"MXCSR"}, mxcsr);
  see_x87(see, x87);
  constexpr std::array<std::string_view, 4> kParts{"63..0", "127..64", "191..128", "255..192"};
  for (int n = 0; n < 16; ++n)
    for (std::size_t part = 0; part < 4; ++part)
      see({"YMM", n, kParts[part]}, ymm[static_cast<unsigned>(n)].q[part]);
  see_all(see, kOther, other);
  see({"CPL"}, cpl);
  see({"SMM"}, smm ? 1 : 0);
  see({"NMI blocked"}, nmi_blocked ? 1 : 0);
  see({"interrupt shadow"}, shadow ? 1 : 0);
  see({"activity"}, static_cast<u64>(activity));
  see({"pending debug traps"}, pending_db);
}

std::string differences(const ArchState& a, const ArchState& b) {
  std::vector<u64> first;
  first.reserve(300);
  a.visit([&](const ArchState::Name&, u64 value) { first.push_back(value); });
  std::string text;
  std::size_t n = 0;
  b.visit([&](const ArchState::Name& name, u64 value) {
    if (first[n] != value) text += fmt::format("{} {:#x} {:#x}\n", text_of(name), first[n], value);
    ++n;
  });
  const auto more = [&text](const auto& of, const auto& than, const char* who) {
    for (const auto& [index, value] : of)
      if (const auto it = than.find(index); it == than.end() || it->second != value)
        text += fmt::format("MSR {:#x} {:#x} {}\n", index, value, who);
  };
  more(a.msrs, b.msrs, "in the first");
  more(b.msrs, a.msrs, "in the second");
  return text;
}

}  // namespace rhea::x86
