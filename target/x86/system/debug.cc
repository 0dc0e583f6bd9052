// SPDX-License-Identifier: GPL-2.0-or-later
// Debug registers: MOV and the matching of breakpoints, the guest's and a debugger's.
#include "target/x86/system/debug.h"

#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

#include <algorithm>

namespace rhea::x86 {
namespace {

constexpr u64 kGeneralDetect = 1 << 13;

constexpr u64 kOffset = 0xfff;

enum class Condition : u8 { Execute, Write, Io, ReadWrite };

Condition condition_of(const Cpu& cpu, unsigned n) {
  return static_cast<Condition>(cpu.dr7 >> (16 + 4 * n) & 3);
}
u64 length_of(const Cpu& cpu, unsigned n) {
  static constexpr std::array<u64, 4> kLengths = {1, 2, 8, 4};
  return kLengths[cpu.dr7 >> (18 + 4 * n) & 3];
}
bool is_enabled(const Cpu& cpu, unsigned n) { return (cpu.dr7 >> 2 * n & 3) != 0; }

bool is_data(Condition condition) {
  return condition == Condition::Write || condition == Condition::ReadWrite;
}

bool overlaps(const Cpu& cpu, unsigned n, u64 at, u64 size) {
  const u64 length = length_of(cpu, n);
  const u64 start = cpu.dr[n] & ~(length - 1);
  return at < start + length && start < at + size;
}

/// Bits of all that match, if an enabled one is among them.
template <class Match>
u64 collect(const Cpu& cpu, Match match) {
  u64 bits = 0;
  bool hit = false;
  for (unsigned n = 0; n < 4; ++n) {
    if (!match(n)) continue;
    bits |= u64{1} << n;
    hit |= is_enabled(cpu, n);
  }
  return hit ? bits : 0;
}

}  // namespace

u64 match_data(const Cpu& cpu, u64 linear, unsigned size, bool write) {
  return collect(cpu, [&](unsigned n) {
    const Condition condition = condition_of(cpu, n);
    const bool kind = condition == Condition::ReadWrite || (write && condition == Condition::Write);
    return kind && overlaps(cpu, n, linear, size);
  });
}

u64 match_code(const Cpu& cpu, u64 linear) {
  return collect(cpu, [&](unsigned n) {
    return condition_of(cpu, n) == Condition::Execute && cpu.dr[n] == linear;
  });
}

u64 match_io(const Cpu& cpu, u16 port, unsigned size) {
  if ((cpu.cr4 & cr4::kDe) == 0) return 0;
  return collect(cpu, [&](unsigned n) {
    return condition_of(cpu, n) == Condition::Io && overlaps(cpu, n, port, size);
  });
}

u64 due_breakpoint(const Cpu& cpu, u64 linear) {
  if (!breakpoints_enabled(cpu) || cpu.eflag(eflags::kRf)) return 0;
  if (cpu.shadow && cpu.traps_held && !cpu.model->is_amd()) return 0;
  return match_code(cpu, linear);
}

void update_stop_pages(Cpu& cpu) {
  const auto bit = [](u64 linear) { return u64{1} << (linear >> 12 & 63); };
  cpu.stop_pages = 0;
  for (unsigned n = 0; n < 4; ++n)
    if (is_enabled(cpu, n) && condition_of(cpu, n) == Condition::Execute)
      cpu.stop_pages |= bit(cpu.dr[n]);
  for (const u64 linear : cpu.stops.code) cpu.stop_pages |= bit(linear);
}

void set_debug_stops(Cpu& cpu, const DebugStops& stops) {
  cpu.stops = stops;
  cpu.has_debug_stops = !stops.empty();
  std::ranges::sort(cpu.stops.code);
  cpu.stopped.reset();
  update_stop_pages(cpu);
  // Pages with breakpoints have no TLB entries.
  cpu.flush_tlb();
}

bool watches_page(const Cpu& cpu, u64 linear) {
  const u64 page = linear & ~kOffset;
  for (unsigned n = 0; n < 4; ++n)
    if (is_enabled(cpu, n) && is_data(condition_of(cpu, n)) && overlaps(cpu, n, page, 0x1000))
      return true;
  return std::ranges::any_of(cpu.stops.watches, [page](const WatchedRange& watch) {
    return watch.first <= (page | kOffset) && watch.last >= page;
  });
}

bool stops_before(const Cpu& cpu, u64 linear) {
  return match_code(cpu, linear) != 0 || debugger_stops_before(cpu, linear);
}

bool stops_within(const Cpu& cpu, u64 first, u64 last) {
  for (unsigned n = 0; n < 4; ++n)
    if (is_enabled(cpu, n) && condition_of(cpu, n) == Condition::Execute && cpu.dr[n] >= first &&
        cpu.dr[n] <= last)
      return true;
  const auto next = std::ranges::lower_bound(cpu.stops.code, first);
  return next != cpu.stops.code.end() && *next <= last;
}

bool debugger_stops_before(const Cpu& cpu, u64 linear) {
  return std::ranges::binary_search(cpu.stops.code, linear);
}

void note_access_slowly(Cpu& cpu, u64 linear, unsigned size, bool write) {
  if (const u64 met = match_data(cpu, linear, size, write); met != 0) {
    cpu.pending_db |= met;
    cpu.leave_block = true;
  }
  const u64 last = linear + size - 1;
  for (const WatchedRange& watch : cpu.stops.watches) {
    if (!(write ? watch.writes : watch.reads) || watch.first > last || watch.last < linear)
      continue;
    if (!cpu.stopped)
      cpu.stopped = {
          .why = DebugStop::Why::Watch, .address = std::max(linear, watch.first), .watch = watch};
    cpu.leave_block = true;
  }
}

void note_port(Cpu& cpu, u16 port, unsigned size) {
  if (!breakpoints_enabled(cpu)) return;
  const u64 met = match_io(cpu, port, size);
  if (met == 0) return;
  cpu.pending_db |= met;
  cpu.leave_block = true;
}

namespace system {
namespace {

/// DR4 and DR5 are DR6 and DR7 unless debugging extensions are on.
unsigned number_of(const Cpu& cpu, unsigned reg) {
  if (reg > 7) raise(Vector::Ud);
  if (reg != 4 && reg != 5) return reg;
  if ((cpu.cr4 & cr4::kDe) != 0) raise(Vector::Ud);
  return reg + 2;
}

void write_debug(Cpu& cpu, unsigned n, u64 value) {
  if (n < 4) {
    cpu.dr[n] = value;
  } else {
    if (value >> 32 != 0) raise(Vector::Gp, 0);
    if (n == 6)
      cpu.dr6 = dr6::kReset | (value & 0xe00f);
    else
      cpu.dr7 = (value & 0xffff'23ff) | 0x400;
  }
  // Pages with breakpoints have no TLB entries.
  for (unsigned each = 0; each < 4; ++each)
    if (is_enabled(cpu, each) && is_data(condition_of(cpu, each)))
      cpu.watch_linear_page(cpu.dr[each]);
  update_stop_pages(cpu);
  cpu.leave_block = true;
}

}  // namespace

void mov_debug(Cpu& cpu, const Insn& insn) {
  const bool load = insn.op[0].kind == OperandKind::Debug;
  const unsigned n = number_of(cpu, insn.op[load ? 0 : 1].reg);
  const unsigned general = insn.op[load ? 1 : 0].reg;
  require_cpl0(cpu);
  if ((cpu.dr7 & kGeneralDetect) != 0) throw Fault{.vector = Vector::Db, .dr6 = dr6::kBd};
  const unsigned size = cpu.long_mode() ? 8 : 4;
  if (load) return write_debug(cpu, n, cpu.gpr[general] & Cpu::size_mask(size));
  set_reg_sized(cpu, general, n < 4 ? cpu.dr[n] : n == 6 ? cpu.dr6 : cpu.dr7, size);
}

}  // namespace system
}  // namespace rhea::x86
