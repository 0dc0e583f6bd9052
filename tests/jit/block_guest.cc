// SPDX-License-Identifier: GPL-2.0-or-later
// The block guest's tables, and what happens to it from outside.
#include "tests/jit/block_guest.h"

#include "accel/apic/apic_bus.h"
#include "target/x86/comparing.h"
#include "target/x86/translate/translator.h"
#include "tests/support/cpu_bench.h"

#include <algorithm>
#include <string_view>

namespace rhea::test {
namespace {

using x86::isa::Row;

/// Those would make the page tables others, or read what is another number in every processor.
bool stays_out(const Row& row) {
  constexpr std::array<std::string_view, 11> kOut{"wrmsr", "lmsw",   "rsm",    "ltr",
                                                  "lgdt",  "lidt",   "rdrand", "rdseed",
                                                  "rdtsc", "rdtscp", "rdpmc"};
  return std::ranges::find(kOut, row.mnemonic) != kOut.end() ||
         row.operand[0].method == x86::isa::Method::C;
}

enum Family : unsigned { Emitted, Branch, Vector, Vex, X87Family, String, System, Called, Count };

Family family_of(const Row& row, unsigned number) {
  using x86::isa::Map;
  using x86::isa::Method;
  const bool string = std::ranges::any_of(row.operand, [](const auto& spec) {
    return spec.method == Method::X || spec.method == Method::Y;
  });
  const bool emitted = x86::translating::emitter_of(number) != nullptr;
  const bool near = row.is(x86::isa::Near64);
  if ((row.is(x86::isa::EndsBlock) || near) && emitted) return Branch;
  if (string) return String;
  if (row.vex) return Vex;
  if (row.is(x86::isa::NativeVector)) return Vector;
  if (row.map == Map::OneByte && row.opcode >= 0xd8 && row.opcode <= 0xdf) return X87Family;
  if (row.is(x86::isa::EndsBlock) || row.is(x86::isa::Cpl0)) return System;
  return emitted ? Emitted : Called;
}

std::vector<std::vector<const Row*>> row_families() {
  std::vector<std::vector<const Row*>> families(Family::Count);
  const auto rows = x86::isa::rows();
  for (unsigned n = 0; n < rows.size(); ++n)
    if (!stays_out(rows[n])) families[family_of(rows[n], n)].push_back(&rows[n]);
  return families;
}

constexpr u64 kFnv = 0x100'0000'01b3;

}  // namespace

// Without random numbers, which are others in each.
BlockGuest::BlockGuest(bool translate)
    : WildGuest(translate, 2, "max,+vme,+la57,-rdrand,-rdseed"), families_(row_families()) {}

unsigned BlockGuest::code_bits() const { return vcpu_->cpu().code_bits; }

unsigned BlockGuest::run(unsigned rounds, How how) {
  x86::comparing::linked = how == How::Linked;
  x86::comparing::one_by_one = how == How::Singly;
  const unsigned done = vcpu_->run_briefly(rounds);
  x86::comparing::linked = x86::comparing::one_by_one = false;
  return done;
}

void BlockGuest::trace(u64 what) { device_trace_ = (device_trace_ ^ what) * kFnv; }

u64 BlockGuest::read(u64 offset, unsigned size) {
  trace(offset << 8 | size);
  return WildGuest::read(offset, size);
}

void BlockGuest::write(u64 offset, u64 value, unsigned size) {
  trace(offset << 8 | 0x80 | size);
  trace(value);
  WildGuest::write(offset, value, size);
}

// Mostly canonical.
u64 BlockGuest::number() {
  switch (below(8)) {
    case 0: return one_in(3) ? random_() : u64(static_cast<i64>(random_()) >> 17);
    case 1: return below(256);
    case 2:
    case 3: return kData + below(0x1'0000);
    case 4: return ((kData + below(0x1'0000)) & ~u64{0xfff}) - 8 + below(16);
    case 5: return one_in(3) ? code_address() + below(16) : below(kRam);
    case 6: return ~below(64);
    default: return random_() & 0xffff'ffff;
  }
}

// No task switches: a TSS has a CR3.
void BlockGuest::fill_descriptors() {
  WildGuest::fill_descriptors();
  for (u16 selector = 0x68; selector < kLastSelector; selector += 8) {
    if (selector >= 0xc0 && selector < 0xd0) continue;  // the user's 16-bit segments
    const u64 any = machine_.memory().load(kGdt + selector, 8);
    const bool call_gate = selector == 0x90;
    if (!call_gate) poke(kGdt + selector, any | u64{1} << 44, 8);
  }
}

void BlockGuest::fill_gates() {
  const bool wide = mode_ >= WildMode::Compatibility;
  constexpr std::array<u8, 4> kTypes{0x8e, 0x8f, 0xee, 0xef};
  const u16 selector = wide ? 0x28 : 0x08;
  for (unsigned vector = 0; vector < 256; ++vector) {
    poke(kIdt + (wide ? 16 : 8) * vector,
         gate(selector, static_cast<u32>(code_address()), kTypes[below(4)]), 8);
    if (wide) poke(kIdt + 16 * vector + 8, 0, 8);
  }
}

u64 BlockGuest::any_frame() {
  switch (below(16)) {
    case 0: return kCode + (below(4) << 12);
    case 1: return kDevice + (below(4) << 12);
    case 2: return kOverlay + (below(4) << 12);
    case 3: return one_in(2) ? kRom : 0x4000 + (below(3) << 12);
    default: return kData + (below(16) << 12);
  }
}

u64 BlockGuest::usual_flags() {
  u64 flags = 7;
  if (one_in(20)) flags ^= u64{1} << below(3);
  if (one_in(8)) flags |= 0x60;          // accessed, dirty
  if (one_in(16)) flags |= u64{1} << 8;  // global
  return flags;
}

// As the wild guest's, but that all upper entries lead to the one page of tables, so that every
// address leads to one of 512 pages. What is needed lies where it is; behind that comes anything.
void BlockGuest::fill_page_tables() {
  const auto page = [](unsigned n) { return kPages + 0x1000 * n; };
  const u64 first_data = 0x14;
  for (unsigned i = 0; i < 512; ++i) {
    const bool tables = i >= kPages >> 12 && i < kCode >> 12;
    const bool needed = i < first_data && !tables;
    const u64 frame = needed || (i < kOverlay >> 12 && !tables) ? u64{i} << 12 : any_frame();
    const u64 flags = needed && !one_in(64) ? 7 : usual_flags();
    poke(page(1) + 4 * i, frame | flags, 4);
    poke(page(1) + 4 * (i + 512), frame | flags, 4);
    poke(page(4) + 8 * i, frame | flags | (!needed && one_in(24) ? u64{1} << 63 : 0), 8);
  }
  for (unsigned i = 0; i < 1024; ++i) poke(page(0) + 4 * i, page(1) | 7, 4);
  for (unsigned i = 0; i < 512; ++i) {
    poke(page(2) + 8 * i, page(3) | 1, 8);
    poke(page(3) + 8 * i, page(4) | 7, 8);
    poke(page(5) + 8 * i, page(6) | 7, 8);
    poke(page(6) + 8 * i, page(3) | 7, 8);
    poke(page(7) + 8 * i, page(5) | 7, 8);
  }
}

void BlockGuest::disturb() {
  x86::Cpu& cpu = vcpu_->cpu();
  cpu.activity = x86::Activity::Running;
  cpu.smm = cpu.nmi_blocked = cpu.shadow = cpu.shadow_next = false;
  cpu.pending_db = 0;
  enter_mode();
  for (const u8 pointer : pointers_)
    if (!one_in(12)) cpu.gpr[pointer] = kData + below(0x1'0000);
  if (mode_ <= WildMode::Protected16)
    for (const u8 pointer : pointers_) cpu.gpr[pointer] &= 0x7ff;
  if (!one_in(16)) cpu.dr7 = 0x400;
  if (!one_in(8)) cpu.set_rflags(cpu.rflags() & ~u64{x86::eflags::kTf | x86::eflags::kNt});
  cpu.set_rflags(cpu.rflags() & ~u64{x86::eflags::kNt});
}

void BlockGuest::interrupt(u8 vector) {
  machine_.service<apic::ApicBus>().send(MsiMessage{.address = 0xfee0'0000, .data = vector});
}

void BlockGuest::write_by_other_processor(u64 address, u64 value, unsigned size) {
  const jit::JitVcpu::Inside inside(*other_);
  other_->cpu().write_slow(address, &value, size, x86::kNoSegment, x86::Privilege::Supervisor);
}

void BlockGuest::map(unsigned page, u64 frame, u64 flags) {
  const u64 entry = frame | flags;
  write_by_other_processor(kPages + 0x1000 + 4 * page, entry, 4);
  write_by_other_processor(kPages + 0x4000 + 8 * page, entry, 8);
  vcpu_->attend_to(x86::Attention::FlushTlb);
}

}  // namespace rhea::test
