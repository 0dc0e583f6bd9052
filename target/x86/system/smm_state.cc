// SPDX-License-Identifier: GPL-2.0-or-later
// The two layouts of the state-save area in SMRAM: AMD64's (APM vol. 2, table 10-1) and the P6
// family's (SDM vol. 3, table 30-1, with the hidden fields where emulators agree to put them).
#include "target/x86/paging.h"
#include "target/x86/system/control.h"
#include "target/x86/system/smm.h"

namespace rhea::x86::system {
namespace {

constexpr u32 kRevision64 = 0x0002'0064;  // SMBASE relocation, AMD64 layout
constexpr u32 kRevision32 = 0x0002'0000;
constexpr u32 kSmbaseRelocation = 0x0002'0000;
constexpr u64 kFlags = 0x003f'7fd5;

/// Offsets count from SMBASE + 8000h, as in the manuals' tables less FE00h - 7E00h.
template <class T>
void put(Cpu& cpu, u32 offset, u64 value) {
  cpu.write_physical<T>((cpu.smbase + 0x8000 + offset) & cpu.a20_mask, static_cast<T>(value));
}
template <class T>
T get(Cpu& cpu, u32 offset) {
  return cpu.read_physical<T>((cpu.smbase + 0x8000 + offset) & cpu.a20_mask);
}

/// Attributes lose "unusable" in SMRAM; absence of the present bit tells of it.
u16 saved_attributes(const SegmentRegister& s) {
  return s.unusable ? static_cast<u16>(s.attributes & ~0x80) : s.attributes;
}

SegmentRegister loaded(u16 selector, u16 attributes, u32 limit, u64 base) {
  SegmentRegister made;
  made.selector = selector;
  made.attributes = attributes & 0xf0ff;
  made.limit = limit;
  made.base = base;
  made.unusable = !made.present();
  made.refresh();
  return made;
}

// ---- The AMD64 layout.
void put_segment_64(Cpu& cpu, u32 at, const SegmentRegister& s) {
  put<u16>(cpu, at, s.selector);
  put<u16>(cpu, at + 2, saved_attributes(s));
  put<u32>(cpu, at + 4, s.limit);
  put<u64>(cpu, at + 8, s.base);
}
SegmentRegister get_segment_64(Cpu& cpu, u32 at) {
  return loaded(get<u16>(cpu, at), get<u16>(cpu, at + 2), get<u32>(cpu, at + 4),
                get<u64>(cpu, at + 8));
}

// ---- The P6 layout.
struct Place32 {
  u32 selector{}, hidden{};  ///< hidden: attributes, limit, base
};
constexpr std::array<Place32, 6> kSegments32 = {{{0x7fa8, 0x7f84},
                                                 {0x7fac, 0x7f90},
                                                 {0x7fb0, 0x7f9c},
                                                 {0x7fb4, 0x7f2c},
                                                 {0x7fb8, 0x7f38},
                                                 {0x7fbc, 0x7f44}}};
constexpr Place32 kTr32{0x7fc4, 0x7f5c}, kLdtr32{0x7fc0, 0x7f78};

void put_segment_32(Cpu& cpu, const Place32& place, const SegmentRegister& s) {
  put<u32>(cpu, place.selector, s.selector);
  put<u32>(cpu, place.hidden, saved_attributes(s));
  put<u32>(cpu, place.hidden + 4, s.limit);
  put<u32>(cpu, place.hidden + 8, s.base);
}
SegmentRegister get_segment_32(Cpu& cpu, const Place32& place) {
  return loaded(get<u16>(cpu, place.selector), get<u16>(cpu, place.hidden),
                get<u32>(cpu, place.hidden + 4), get<u32>(cpu, place.hidden + 8));
}

// ---- What both restore.
struct ControlRegisters {
  u64 cr0{}, cr3{}, cr4{}, efer{};
};

/// The checks of SDM vol. 3, 30.4.1.
bool is_consistent(const Cpu& cpu, const ControlRegisters& c) {
  const bool pe = (c.cr0 & cr0::kPe) != 0, pg = (c.cr0 & cr0::kPg) != 0;
  if ((pg && !pe) || ((c.cr0 & cr0::kNw) != 0 && (c.cr0 & cr0::kCd) == 0)) return false;
  if ((c.cr4 & ~cr4_bits(*cpu.model)) != 0) return false;
  const bool lme = (c.efer & efer::kLme) != 0;
  if (((c.efer & efer::kLma) != 0) != (lme && pg)) return false;
  return !(lme && pg) || (c.cr4 & cr4::kPae) != 0;
}

void apply(Cpu& cpu, const ControlRegisters& c, u64 rflags) {
  cpu.cr0 = c.cr0 | cr0::kEt;
  cpu.cr3 = c.cr3;
  cpu.cr4 = c.cr4;
  cpu.efer = c.efer;
  cpu.set_rflags(rflags);
  const bool vm = cpu.eflag(eflags::kVm) && !cpu.lma();
  cpu.set_cpl(!cpu.protected_mode() ? 0 : vm ? 3 : cpu.seg[Ss].dpl());
  if (cpu.paging() && !cpu.lma() && (cpu.cr4 & cr4::kPae) != 0) load_pdptes(cpu, cpu.cr3);
}

void restart(Cpu& cpu, bool halted) {
  if (halted) cpu.activity = Activity::Halted;
  cpu.leave_block = true;
}

}  // namespace

void save_smm_state_64(Cpu& cpu, bool halted) {
  for (u32 n = 0; n < 6; ++n) put_segment_64(cpu, 0x7e00 + 16 * n, cpu.seg[n]);
  put<u32>(cpu, 0x7e64, cpu.gdtr.limit);
  put<u64>(cpu, 0x7e68, cpu.gdtr.base);
  put_segment_64(cpu, 0x7e70, cpu.ldtr);
  put<u32>(cpu, 0x7e84, cpu.idtr.limit);
  put<u64>(cpu, 0x7e88, cpu.idtr.base);
  put_segment_64(cpu, 0x7e90, cpu.tr);
  put<u8>(cpu, 0x7ec8, 0);  // I/O restart
  put<u8>(cpu, 0x7ec9, halted);
  put<u64>(cpu, 0x7ed0, cpu.efer);
  put<u32>(cpu, 0x7efc, kRevision64);
  put<u32>(cpu, 0x7f00, cpu.smbase);
  put<u64>(cpu, 0x7f48, cpu.cr4);
  put<u64>(cpu, 0x7f50, cpu.cr3);
  put<u64>(cpu, 0x7f58, cpu.cr0);
  put<u64>(cpu, 0x7f60, cpu.dr7);
  put<u64>(cpu, 0x7f68, cpu.dr6);
  put<u64>(cpu, 0x7f70, cpu.rflags());
  put<u64>(cpu, 0x7f78, cpu.rip());
  for (u32 n = 0; n < 16; ++n) put<u64>(cpu, 0x7ff8 - 8 * n, cpu.gpr[n]);
}

bool load_smm_state_64(Cpu& cpu) {
  const ControlRegisters control{.cr0 = get<u64>(cpu, 0x7f58),
                                 .cr3 = get<u64>(cpu, 0x7f50),
                                 .cr4 = get<u64>(cpu, 0x7f48),
                                 .efer = get<u64>(cpu, 0x7ed0)};
  if (!is_consistent(cpu, control)) return false;
  for (u32 n = 0; n < 6; ++n) cpu.seg[n] = get_segment_64(cpu, 0x7e00 + 16 * n);
  cpu.gdtr = {.base = get<u64>(cpu, 0x7e68), .limit = get<u16>(cpu, 0x7e64)};
  cpu.idtr = {.base = get<u64>(cpu, 0x7e88), .limit = get<u16>(cpu, 0x7e84)};
  cpu.ldtr = get_segment_64(cpu, 0x7e70);
  cpu.tr = get_segment_64(cpu, 0x7e90);
  for (u32 n = 0; n < 16; ++n) cpu.gpr[n] = get<u64>(cpu, 0x7ff8 - 8 * n);
  cpu.set_rip(get<u64>(cpu, 0x7f78));
  cpu.dr6 = get<u32>(cpu, 0x7f68);
  cpu.dr7 = get<u32>(cpu, 0x7f60);
  const u64 rflags = get<u64>(cpu, 0x7f70) & kFlags;
  const bool halted = get<u8>(cpu, 0x7ec9) != 0;
  const u32 base = get<u32>(cpu, 0x7f00);
  if ((get<u32>(cpu, 0x7efc) & kSmbaseRelocation) != 0) cpu.smbase = base;
  apply(cpu, control, rflags);
  restart(cpu, halted);
  return true;
}

void save_smm_state_32(Cpu& cpu, bool halted) {
  put<u32>(cpu, 0x7ffc, cpu.cr0);
  put<u32>(cpu, 0x7ff8, cpu.cr3);
  put<u32>(cpu, 0x7ff4, cpu.rflags());
  put<u32>(cpu, 0x7ff0, cpu.rip());
  for (u32 n = 0; n < 8; ++n) put<u32>(cpu, 0x7fd0 + 4 * n, cpu.gpr[n]);
  put<u32>(cpu, 0x7fcc, cpu.dr6);
  put<u32>(cpu, 0x7fc8, cpu.dr7);
  put_segment_32(cpu, kTr32, cpu.tr);
  put_segment_32(cpu, kLdtr32, cpu.ldtr);
  for (u32 n = 0; n < 6; ++n) put_segment_32(cpu, kSegments32[n], cpu.seg[n]);
  put<u32>(cpu, 0x7f74, cpu.gdtr.base);
  put<u32>(cpu, 0x7f70, cpu.gdtr.limit);
  put<u32>(cpu, 0x7f58, cpu.idtr.base);
  put<u32>(cpu, 0x7f54, cpu.idtr.limit);
  put<u32>(cpu, 0x7f14, cpu.cr4);
  put<u16>(cpu, 0x7f02, halted);
  put<u16>(cpu, 0x7f00, 0);  // I/O restart
  put<u32>(cpu, 0x7efc, kRevision32);
  put<u32>(cpu, 0x7ef8, cpu.smbase);
}

bool load_smm_state_32(Cpu& cpu) {
  const ControlRegisters control{.cr0 = get<u32>(cpu, 0x7ffc),
                                 .cr3 = get<u32>(cpu, 0x7ff8),
                                 .cr4 = get<u32>(cpu, 0x7f14),
                                 .efer = 0};
  if (!is_consistent(cpu, control)) return false;
  for (u32 n = 0; n < 8; ++n) cpu.gpr[n] = get<u32>(cpu, 0x7fd0 + 4 * n);
  cpu.set_rip(get<u32>(cpu, 0x7ff0));
  cpu.dr6 = get<u32>(cpu, 0x7fcc);
  cpu.dr7 = get<u32>(cpu, 0x7fc8);
  cpu.tr = get_segment_32(cpu, kTr32);
  cpu.ldtr = get_segment_32(cpu, kLdtr32);
  for (u32 n = 0; n < 6; ++n) cpu.seg[n] = get_segment_32(cpu, kSegments32[n]);
  cpu.gdtr = {.base = get<u32>(cpu, 0x7f74), .limit = get<u16>(cpu, 0x7f70)};
  cpu.idtr = {.base = get<u32>(cpu, 0x7f58), .limit = get<u16>(cpu, 0x7f54)};
  const u64 rflags = get<u32>(cpu, 0x7ff4) & kFlags;
  const bool halted = get<u16>(cpu, 0x7f02) != 0;
  const u32 base = get<u32>(cpu, 0x7ef8);
  if ((get<u32>(cpu, 0x7efc) & kSmbaseRelocation) != 0) cpu.smbase = base;
  apply(cpu, control, rflags);
  restart(cpu, halted);
  return true;
}

}  // namespace rhea::x86::system
