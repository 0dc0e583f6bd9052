// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/jit/verifier.h"

#include "accel/jit/block_cache.h"
#include "accel/jit/translations.h"
#include "target/x86/arch_state.h"
#include "target/x86/comparing.h"
#include "target/x86/cpu_state.h"
#include "target/x86/interp/step.h"
#include "target/x86/isa/row.h"
#include "target/x86/system/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace rhea::jit {
namespace {

constexpr u64 kOffset = kPageSize - 1;

void count(std::atomic<u64>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// Each time another number.
bool is_random(const x86::Insn& insn) {
  const std::string_view mnemonic = x86::isa::rows()[insn.row].mnemonic;
  return mnemonic == "rdrand" || mnemonic == "rdseed";
}

/// Whether the access that met a page fault would have been allowed by the processor's TLBs.
bool would_pass(const x86::Cpu& real, const x86::Fault& met) {
  if (met.vector != x86::Vector::Pf) return false;
  const auto finds = [&met](const x86::TlbView& view) {
    return ((met.error & x86::pf::kWrite) != 0 ? view.find_write(met.cr2, 1)
                                               : view.find_read(met.cr2, 1)) != nullptr;
  };
  const bool by_user = (met.error & x86::pf::kUser) != 0;
  return (by_user == (real.privilege == x86::Privilege::User) && finds(real.view)) ||
         (!by_user && finds(real.system_view));
}

}  // namespace

Verifier::Verifier(x86::Bus& bus, const x86::CpuModel& model) : copies_(bus), cpu_(copies_, model) {
  x86::comparing::host_flags = true;
}

bool Verifier::is_due(unsigned runs) { return runs < 16 || std::has_single_bit(runs); }

x86::HostPage Verifier::Copies::page(u64 address) {
  auto& copy = pages_[address];
  if (copy == nullptr) {
    const x86::HostPage real = real_->page(address);
    if (real.read == nullptr) throw NotTwice{};
    copy = std::make_unique<Page>();
    copy->real = real.read;
    std::memcpy(copy->bytes.data(), real.read, kPageSize);
  }
  const x86::HostPage real = real_->page(address);
  return {.read = copy->bytes.data(),
          .write = real.write != nullptr ? copy->bytes.data() : nullptr,
          .watched = real.watched};
}

// Page tables' marks come this way.
void Verifier::Copies::write(u64 address, u64 value, unsigned size) {
  u8* const to = page(address & ~kOffset).write;
  if (to == nullptr) throw NotTwice{};
  std::memcpy(to + (address & kOffset), &value, size);
}

// Accessed and dirty bits do not count: the processor's TLB may remember what the interpreter,
// which begins without one, looks up and marks anew.
std::string Verifier::Copies::differences() const {
  constexpr u64 kMarks = 0x60'0000'0060;
  std::string text;
  for (const auto& [address, page] : pages_) {
    if (std::memcmp(page->bytes.data(), page->real, kPageSize) == 0) continue;
    for (std::size_t at = 0; at < kPageSize; at += 8) {
      u64 interpreted = 0, translated = 0;
      std::memcpy(&interpreted, &page->bytes[at], 8);
      std::memcpy(&translated, page->real + at, 8);
      if (((interpreted ^ translated) & ~kMarks) != 0)
        text += fmt::format("memory at {:#x} {:#x} {:#x}\n", address + at, interpreted, translated);
    }
  }
  return text;
}

const u8* Verifier::Copies::original(u64 copy) const {
  const auto found = std::ranges::find_if(pages_, [copy](const auto& known) {
    return reinterpret_cast<u64>(known.second->bytes.data()) == copy;
  });
  return found != pages_.end() ? found->second->real : nullptr;
}

void Verifier::take_over(const x86::Cpu& from) {
  x86::ArchState::of(from).put_back(cpu_);
  cpu_.cr0 = from.cr0;
  cpu_.cr3 = from.cr3;
  cpu_.cr4 = from.cr4;
  cpu_.efer = from.efer;
  cpu_.xcr0 = from.xcr0;
  cpu_.pdpte = from.pdpte;
  cpu_.dr = from.dr;
  cpu_.dr7 = from.dr7;
  cpu_.pkru = from.pkru;
  cpu_.pkrs = from.pkrs;
  cpu_.msrs = from.msrs;
  cpu_.tsc_offset = from.tsc_offset;
  cpu_.tsc_aux = from.tsc_aux;
  cpu_.star = from.star;
  cpu_.lstar = from.lstar;
  cpu_.cstar = from.cstar;
  cpu_.sfmask = from.sfmask;
  cpu_.sysenter_cs = from.sysenter_cs;
  cpu_.sysenter_esp = from.sysenter_esp;
  cpu_.sysenter_eip = from.sysenter_eip;
  cpu_.misc_enable = from.misc_enable;
  cpu_.smbase = from.smbase;
  cpu_.smm = from.smm;
  cpu_.cpl = from.cpl;
  cpu_.activity = from.activity;
  cpu_.a20_mask = from.a20_mask;
  cpu_.pauses = from.pauses;
  cpu_.traps_held = from.traps_held;
  cpu_.shadow_next = false;
  cpu_.attention = 0;
  cpu_.update_mode();
  copies_.forget();
  cpu_.flush_tlb();
  cpu_.leave_block = false;
}

// Those since the last comparison stand for themselves.
void Verifier::begin(const x86::Cpu& cpu, const Block& block, unsigned runs) {
  executed_ = block.insns.size();
  compares_ = std::ranges::none_of(block.insns, &is_random);
  block_ = &block;
  rip_ = cpu.rip();
  linear_ = x86::linear_rip(cpu);
  code_bits_ = cpu.code_bits;
  if (compares_) {
    try {
      take_over(cpu);
      interpret(cpu, block);
    } catch (const NotTwice&) {
      compares_ = false;
    }
  }
  rows_.add(block, executed_, runs <= 16 ? 1 : runs / 2);
}

// As the run loop does.
void Verifier::interpret(const x86::Cpu& real, const Block& block) {
  stopped_early_ = false;
  try {
    for (const x86::Insn& insn : block.insns) {
      executed_ = static_cast<std::size_t>(&insn - block.insns.data()) + 1;
      cpu_.insn_rip = cpu_.rip();
      cpu_.set_rip((cpu_.rip() + insn.length) & cpu_.rip_mask);
      insn.exec(cpu_, insn);
      // The next one may forget what this one went by.
      if (!is_up_to_date(real)) throw NotTwice{};
      // Where this is called, translated code is left behind it.
      stopped_early_ = &insn != &block.insns.back() &&
                       x86::translating::ends_translation(insn, cpu_.long_mode());
      // How many elements come before a look around depends on what the TLB knows.
      if (cpu_.leave_block && cpu_.rip() == cpu_.insn_rip) throw NotTwice{};
      if (cpu_.leave_block || stopped_early_) break;
    }
    cpu_.shadow = cpu_.shadow_next;
    cpu_.shadow_next = false;
    if (cpu_.pending_db != 0 && !(cpu_.shadow && cpu_.traps_held)) x86::deliver_debug_traps(cpu_);
  } catch (const x86::Fault& thrown) {
    if (would_pass(real, thrown)) throw NotTwice{};
    x86::deliver_step_fault(cpu_, thrown);
  }
  if (!is_up_to_date(real)) throw NotTwice{};
}

// Until it flushes, a processor may go by what page tables said before; the interpreter, which
// begins without a TLB, goes by what they say now.
bool Verifier::is_up_to_date(const x86::Cpu& real) const {
  bool up_to_date = true;
  cpu_.tlb.visit_running([&](const x86::TlbEntry& entry, bool) {
    const u8* const now = copies_.original(entry.page + entry.addend);
    for (unsigned as = 0; as < x86::kPrivileges; ++as) {
      const x86::TlbView& view = real.tlb.view(static_cast<x86::Privilege>(as));
      const u8* const then = view.find_read(entry.page, 1);
      up_to_date &= then == nullptr || then == now;
    }
  });
  return up_to_date;
}

// Whether it is where an instruction of the block ends that has another behind it.
bool Verifier::is_behind_one(u64 rip) const {
  u64 behind = rip_;
  for (const x86::Insn& insn : block_->insns.first(block_->insns.size() - 1)) {
    behind += insn.length;
    if (behind == rip) return true;
  }
  return false;
}

// A block that says that it was left early, behind one of its instructions, has not come as far as
// the interpreter.
std::string Verifier::finish(const x86::Cpu& cpu, bool left_early) {
  const bool came_less_far = stopped_early_ || (left_early && is_behind_one(cpu.rip()));
  // Somebody wanted it: it may have left between two pieces, or not begun.
  compares_ &= cpu.attention.load(std::memory_order_relaxed) == 0 &&
               !(came_less_far && cpu.rip() != cpu_.rip());
  count(compares_ ? counts_.compared : counts_.passed_over);
  if (!compares_) return {};
  const std::string found =
      x86::differences(x86::ArchState::of(cpu_), x86::ArchState::of(cpu)) + copies_.differences();
  if (found.empty()) return {};
  count(counts_.different);
  const std::string code = x86::disassemble(block_->code_bytes, GuestVirt(rip_), code_bits_,
                                            static_cast<unsigned>(block_->insns.size()));
  return fmt::format("block at {:#x}, register, interpreter's, translator's:\n{}{}", linear_, found,
                     code);
}

}  // namespace rhea::jit
