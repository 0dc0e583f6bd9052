// SPDX-License-Identifier: GPL-2.0-or-later
// The wild guest's tables and registers.
#include "accel/apic/apic_bus.h"
#include "target/x86/system/segments.h"
#include "tests/jit/wild_guest.h"
#include "tests/support/cpu_bench.h"

#include <array>

namespace rhea::test {
namespace {

constexpr u16 kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23, kLong0 = 0x28,
              kLong3 = 0x33, kCode16 = 0x38, kData16 = 0x40, kTssSelector = 0x48, kLdt = 0x58,
              kCode16User = 0xc3, kData16User = 0xcb;

/// What RCX may hold for RDMSR, WRMSR, XGETBV and XSETBV.
constexpr std::array<u32, 16> kMsrs{0,           0x10,        0x1b,        0x3a,       0x174, 0x175,
                                    0x1a0,       0x200,       0x277,       0x2ff,      0x80b, 0x830,
                                    0xc000'0080, 0xc000'0082, 0xc000'0101, 0xc000'0103};

}  // namespace

/// Numbers that mean something as an address, a count or a bit pattern.
u64 WildGuest::number() {
  switch (below(9)) {
    case 0: return random_();
    case 1: return below(256);
    case 2: return below(kRam) & (one_in(2) ? ~u64{0} : ~u64{63});
    case 3: return (below(kRam) & ~u64{0xfff}) - 8 + below(16);
    case 4: return code_address();
    case 5: return (one_in(2) ? kDevice : kOverlay) - 8 + below(0x1'0010);
    case 6: return (one_in(2) ? 0xffff'8000'0000'0000 : 0x7fff'ffff'fff0) + below(0x20);
    case 7: return 0xfee0'0000 + below(0x400);
    default: return ~below(32);
  }
}

void WildGuest::fill_data() {
  for (u64 at = 0; at < 0x400; at += 4)  // real mode's vectors
    poke(at, (kCode >> 4) << 16 | below(kCodeBytes), 4);
  for (unsigned n = 0; n < 256; ++n) poke(kData + below(0x8000), number(), 8);
  for (unsigned n = 0; n < 64; ++n) poke(0x4000 + below(0x3000), below(kLastSelector), 4);
}

void WildGuest::fill_descriptors() {
  const auto set = [this](u16 selector, u64 value) { poke(kGdt + (selector & 0xfff8U), value, 8); };
  for (u16 selector = 0x68; selector < kLastSelector; selector += 8)  // anything that is present
    set(selector, (random_() & ~u64{0xffff'0000'0000'0000} & ~u64{0xffff'0000}) | u64{1} << 47 |
                      code_address() % 0x1'0000 | below(kLastSelector) << 16);
  set(kCode0, descriptor(0, 0xf'ffff, 0xc09b));
  set(kData0, descriptor(0, 0xf'ffff, 0xc093));
  set(kCode3, descriptor(0, 0xf'ffff, 0xc0fb));
  set(kData3, descriptor(0, 0xf'ffff, 0xc0f3));
  set(kLong0, descriptor(0, 0xf'ffff, 0xa09b));
  set(kLong3, descriptor(0, 0xf'ffff, 0xa0fb));
  set(kCode16, descriptor(kCode, 0xffff, 0x009b));
  set(kData16, descriptor(kData, one_in(2) ? 0xffff : 0x7ff, one_in(4) ? 0x0097 : 0x0093));
  set(kCode16User, descriptor(kCode, 0xffff, 0x00fb));
  set(kData16User, descriptor(kData, 0xffff, 0x00f3));
  set(kTssSelector, descriptor(kTss, one_in(4) ? 0x67 : 0x2fff, 0x008b));
  set(kLdt, descriptor(kGdt, 0xff, 0x0082));
  set(0x80, descriptor(kTss + 0x800, 0x67, 0x0089));  // another task
  set(0x88, gate(0x80, 0, 0xe5));
  set(0x90, gate(kCode0, static_cast<u32>(code_address()), 0xec, static_cast<u8>(below(32))));
  for (unsigned level = 0; level < 3; ++level) {
    poke(kTss + 4 + 8 * level, 0x7000 + 0x400 * level, 4);
    poke(kTss + 8 + 8 * level, kData0 + level, 2);
  }
  for (u64 at = kTss + 0x24; at < kTss + 0x68; at += 8) poke(at, number(), 8);
  for (unsigned n = 0; n < 12; ++n) poke(kTss + 0x820 + 4 * n, number(), 4);
  for (unsigned n = 0; n < 7; ++n) poke(kTss + 0x848 + 4 * n, below(kLastSelector), 4);
  poke(kTss + 0x66, 0x68 + below(0x100), 2);  // I/O permission map
}

void WildGuest::fill_gates() {
  const bool wide = mode_ >= WildMode::Compatibility;
  constexpr std::array<u8, 6> kTypes{0x8e, 0x8f, 0xee, 0xef, 0x86, 0xe5};
  const u16 usual = wide ? kLong0 : kCode0;
  for (unsigned vector = 0; vector < 256; ++vector) {
    const u16 selector = one_in(8) ? static_cast<u16>(below(kLastSelector)) : usual;
    const u8 type = one_in(16) ? static_cast<u8>(random_()) : kTypes[below(wide ? 4 : 6)];
    poke(kIdt + (wide ? 16 : 8) * vector,
         gate(selector, static_cast<u32>(code_address()), type, wide ? u8(below(8)) % 3 : u8{0}),
         8);
    if (wide) poke(kIdt + 16 * vector + 8, one_in(64) ? random_() : 0, 8);
  }
}

/// Mostly present, writable and the user's.
u64 WildGuest::page_flags(bool wide) {
  u64 flags = 0x7;
  if (one_in(24)) flags ^= u64{1} << below(3);
  if (one_in(8)) flags |= 0x60;          // accessed, dirty
  if (one_in(16)) flags |= u64{1} << 8;  // global
  if (one_in(32)) flags |= u64{1} << (3 + below(2));
  if (wide && one_in(32)) flags |= u64{1} << 63;  // no execution
  if (wide && one_in(256)) flags |= random_() & 0x7ff0'0000'0000'0000;
  return flags;
}

// kPages: 32-bit directory, its table; PAE's pointers, directory and table, which also serve the
// four levels of long mode (the fifth leads to the fourth); all map the first two MiB one to one,
// but for what chance wants otherwise.
void WildGuest::fill_page_tables() {
  const auto page = [](unsigned n) { return kPages + 0x1000 * n; };
  for (unsigned i = 0; i < 512; ++i) {
    const auto frame = [&] { return one_in(32) ? number() & 0xf'f000 : u64{i} << 12; };
    poke(page(1) + 4 * i, frame() | page_flags(false), 4);
    poke(page(4) + 8 * i, frame() | page_flags(true), 8);
  }
  poke(page(0), page(1) | 7, 4);
  poke(page(0) + 4, 0x83 | (one_in(2) ? 4 : 0), 4);  // a large page
  poke(page(0) + 4 * 1023, page(0) | 7, 4);          // itself
  poke(page(0) + 4 * 1019, 0xfec0'0083, 4);          // the APIC
  for (unsigned i = 0; i < 4; ++i) poke(page(2) + 8 * i, page(3) | 1, 8);
  poke(page(3), page(4) | 7, 8);
  poke(page(3) + 8, 0x87, 8);
  poke(page(3) + 16, kDevice | 7, 8);  // a table in a device
  poke(page(3) + 24, random_(), 8);
  poke(page(3) + 8 * 503, 0xfee0'0083, 8);
  poke(page(5), page(6) | 7, 8);  // level 4
  poke(page(5) + 8 * 255, page(6) | 7, 8);
  poke(page(5) + 8 * 256, page(5) | 7, 8);
  poke(page(5) + 8 * 511, page(6) | 7, 8);
  for (unsigned i = 0; i < 512; ++i) poke(page(6) + 8 * i, page(3) | page_flags(true), 8);
  poke(page(6) + 8, 0x87, 8);                                                // 1 GiB
  for (unsigned i = 0; i < 512; ++i) poke(page(7) + 8 * i, page(5) | 7, 8);  // level 5
}

void WildGuest::load_segments(u16 code, u16 data) {
  x86::Cpu& cpu = vcpu_->cpu();
  const auto load = [&](u16 selector) {
    x86::system::Descriptor d;
    d.low = machine_.memory().load(kGdt + (selector & 0xfff8U), 8);
    return x86::system::segment_from(selector, d);
  };
  for (x86::SegmentRegister& s : cpu.seg) s = load(data);
  cpu.seg[x86::Cs] = load(code);
  cpu.tr = load(kTssSelector);
  cpu.ldtr = load(kLdt);
}

void WildGuest::enter_real() {
  x86::Cpu& cpu = vcpu_->cpu();
  constexpr std::array<u16, 4> kSegments{0x1000, 0x2000, 0x0000, 0xffff};
  for (x86::SegmentRegister& s : cpu.seg) {
    s.selector = kSegments[below(4)];
    s.base = u64{s.selector} << 4;
    if (mode_ == WildMode::Real && one_in(8))
      s.limit = one_in(2) ? 0xffff'ffff : static_cast<u32>(below(0x1'0000));
    if (mode_ == WildMode::Virtual8086) s = x86::system::virtual_8086_segment(s.selector);
    s.refresh();
  }
  const u16 code = kCode >> 4;
  cpu.seg[x86::Cs].selector = code;
  cpu.seg[x86::Cs].base = kCode;
}

void WildGuest::set_control_registers() {
  using namespace x86;
  Cpu& cpu = vcpu_->cpu();
  constexpr std::array<u64, 7> kSome{cr4::kVme,      cr4::kPvi,  cr4::kTsd, cr4::kDe,
                                     cr4::kFsgsbase, cr4::kUmip, cr4::kMce};
  cpu.cr4 = cr4::kPse | cr4::kPge | cr4::kOsfxsr | cr4::kOsxmmexcpt | cr4::kOsxsave;
  for (const u64 bit : kSome)
    if (one_in(4)) cpu.cr4 |= bit;
  if (one_in(12)) cpu.cr4 |= cr4::kSmap;
  if (one_in(12)) cpu.cr4 |= cr4::kSmep;
  if (one_in(12)) cpu.cr4 &= ~(u64{1} << below(23));
  cpu.cr0 = cr0::kEt | (one_in(2) ? cr0::kNe : 0) | (one_in(2) ? cr0::kWp : 0) |
            (one_in(2) ? cr0::kAm : 0) | (one_in(2) ? cr0::kMp : 0) | (one_in(24) ? cr0::kTs : 0) |
            (one_in(24) ? cr0::kEm : 0);
  cpu.efer = efer::kSce | efer::kNxe;
  cpu.xcr0 = one_in(8) ? 1 : 7;
  cpu.smbase = kCode - 0x8000;
}

void WildGuest::enter_protected() {
  using namespace x86;
  Cpu& cpu = vcpu_->cpu();
  const bool long_modes = mode_ >= WildMode::Compatibility;
  cpu.cr0 |= cr0::kPe;
  cpu.cr4 &= ~(cr4::kPae | cr4::kLa57);
  if (long_modes) {
    const bool five = one_in(4);
    cpu.cr4 |= cr4::kPae | (five ? cr4::kLa57 : 0);
    cpu.cr3 = kPages + (five ? 0x7000 : 0x5000);
    cpu.efer |= efer::kLme | efer::kLma;
    cpu.cr0 |= cr0::kPg;
  } else if (!one_in(3)) {
    const bool pae = one_in(2);
    if (pae) cpu.cr4 |= cr4::kPae;
    cpu.cr3 = kPages + (pae ? 0x2000 : 0);
    for (u64& entry : cpu.pdpte) entry = (kPages + 0x3000) | 1;
    cpu.cr0 |= cr0::kPg;
  }
  cpu.gdtr = {.base = kGdt, .limit = kLastSelector - 1};
  cpu.idtr = {.base = kIdt, .limit = 0xfff};
  if (mode_ == WildMode::Long)
    load_segments(user_ ? kLong3 : kLong0, user_ ? kData3 : kData0);
  else if (mode_ == WildMode::Protected16)
    load_segments(user_ ? kCode16User : kCode16, user_ ? kData16User : kData16);
  else
    load_segments(user_ ? kCode3 : kCode0, user_ ? kData3 : kData0);
}

void WildGuest::enter_mode() {
  x86::Cpu& cpu = vcpu_->cpu();
  set_control_registers();
  if (mode_ != WildMode::Real) enter_protected();
  if (mode_ <= WildMode::Virtual8086) enter_real();
  set_registers();
  cpu.flush_tlb();
}

void WildGuest::set_vectors() {
  x86::Cpu& cpu = vcpu_->cpu();
  for (x86::VectorRegister& reg : cpu.ymm)
    for (u64& part : reg.q) part = number();
  for (x86::X87Register& reg : cpu.x87.reg) {
    reg.significand = random_();
    reg.sign_exponent = static_cast<u16>(one_in(2) ? random_() : 0x3fff);
  }
  cpu.x87.valid = static_cast<u8>(random_());
  cpu.x87.fcw = static_cast<u16>((random_() & 0x1f3f) | 0x40 | (one_in(2) ? 0x3f : 0));
  cpu.x87.fsw = static_cast<u16>(random_() & 0x7f7f);
  cpu.mxcsr = static_cast<u32>((random_() & 0xffff) | (one_in(2) ? 0x1f80 : 0));
}

void WildGuest::set_registers() {
  using namespace x86;
  Cpu& cpu = vcpu_->cpu();
  for (unsigned n = 0; n < 16; ++n) cpu.gpr[n] = number();
  cpu.gpr[Rsp] = 0x4000 + below(0x3000);
  if (one_in(4)) {
    cpu.gpr[Rcx] = kMsrs[below(kMsrs.size())];
    cpu.gpr[Rdx] = below(8) / 7;
    cpu.gpr[Rax] = below(8);
  }
  set_vectors();
  u64 flags = random_() & 0xcd5;  // status, DF
  if (!one_in(8)) flags |= eflags::kIf;
  if (one_in(12)) flags |= eflags::kTf;
  if (one_in(8)) flags |= eflags::kAc;
  if (one_in(16)) flags |= eflags::kNt;
  flags |= below(4) << 12;
  if (mode_ == WildMode::Virtual8086) flags |= eflags::kVm;
  cpu.cpl = user_ ? 3 : 0;
  cpu.set_rflags(flags);
  cpu.update_mode();
  const bool based = mode_ <= WildMode::Protected16;
  cpu.set_rip(code_address() - (based ? kCode : 0));
  cpu.dr7 = 0x400;
  if (!one_in(12)) return;
  for (u64& address : cpu.dr) address = one_in(2) ? code_address() : number();
  cpu.dr7 |= random_() & 0xffff'00ff;
}

void WildGuest::disturb() {
  x86::Cpu& cpu = vcpu_->cpu();
  const bool own_mode = cpu.activity == x86::Activity::Running && one_in(2);
  cpu.activity = x86::Activity::Running;
  if (own_mode) {
    for (unsigned n = 0; n < 4; ++n) cpu.gpr[below(16)] = number();
    cpu.set_rip(code_address() & cpu.rip_mask);
  } else {
    cpu.smm = cpu.nmi_blocked = cpu.shadow = false;
    enter_mode();
  }
  if (one_in(8)) vcpu_->inject_nmi();
  if (one_in(8)) vcpu_->attend_to(x86::Attention::Smi);
  if (one_in(16)) vcpu_->attend_to(x86::Attention::Init);
  if (one_in(4))
    machine_.service<apic::ApicBus>().send(
        MsiMessage{.address = 0xfee0'0000, .data = static_cast<u32>(below(256))});
}

}  // namespace rhea::test
