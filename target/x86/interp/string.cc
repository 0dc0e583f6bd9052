// SPDX-License-Identifier: GPL-2.0-or-later
// String instructions, with REP: a page at a time where both sides are plain memory, else element
// by element. RSI, RDI and RCX always say how far it got, so that a fault or an interrupt in the
// middle needs nothing but to start the instruction again.
#include "target/x86/comparing.h"
#include "target/x86/interp/operand.h"
#include "target/x86/interp/step.h"
#include "target/x86/system/checks.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/io.h"

#include <algorithm>
#include <array>

namespace rhea::x86::interp {
namespace {

/// One of the registers that step through memory, in the instruction's address size.
class Counter {
 public:
  Counter(Cpu& cpu, const Insn& insn, unsigned reg)
      : cpu_(&cpu), reg_(reg), size_(insn.address_size) {}
  u64 value() const { return cpu_->gpr[reg_] & Cpu::size_mask(size_); }
  void add(i64 change) {
    const u64 sum = cpu_->gpr[reg_] + static_cast<u64>(change);
    if (size_ == 2)
      cpu_->set_reg<u16>(reg_, static_cast<u16>(sum));
    else
      cpu_->gpr[reg_] = sum & Cpu::size_mask(size_);
  }
  /// Elements of `element` bytes from here, upwards, before the register wraps or a page ends
  /// (`linear` being where value() lies).
  u64 room(u64 linear, unsigned element) const {
    const u64 page = (0x1000 - (linear & 0xfff)) / element;
    const u64 wrap = (Cpu::size_mask(size_) - value()) / element + 1;
    return std::min(page, wrap);
  }

 private:
  Cpu* cpu_;
  unsigned reg_;
  unsigned size_;
};

/// The registers that Intel's processors make 32 bits wide before a repeated instruction looks
/// whether there is anything to do, in 64-bit mode with 32-bit addresses: RCX always, the others
/// for MOVS and STOS. AMD's leave them as long as nothing was done. In no manual.
enum class Narrowed : u8 { Count, Destination, Both };

struct String {
  String(Cpu& c, const Insn& i)
      : cpu(c), insn(i), source(c, i, Rsi), destination(c, i, Rdi), count(c, i, Rcx) {}
  bool repeated() const { return insn.has(kRep) || insn.has(kRepne); }
  bool down() const { return cpu.eflag(eflags::kDf); }
  i64 step(unsigned size) const { return down() ? -static_cast<i64>(size) : size; }
  void narrow(Narrowed which) {
    if (insn.address_size != 4 || !cpu.long_mode() || system::is_amd(cpu)) return;
    count.add(0);
    if (which != Narrowed::Count) destination.add(0);
    if (which == Narrowed::Both) source.add(0);
  }

  Cpu& cpu;
  const Insn& insn;
  Counter source, destination, count;
};

/// Elements, or pages of them, before the run loop gets to look around: RCX may hold 2^64.
constexpr unsigned kMaxRounds = 64;

// Something wants the processor between two elements: the instruction has to be entered again.
bool interrupted(Cpu& cpu, unsigned round) {
  if (round < kMaxRounds && !comparing::is(comparing::one_by_one) &&
      cpu.attention.load(std::memory_order_relaxed) == 0 && !cpu.eflag(eflags::kTf) &&
      cpu.pending_db == 0 && !cpu.leave_block) [[likely]]
    return false;
  cpu.set_rip(cpu.insn_rip);
  // A breakpoint there has been met already (SDM vol. 3, 18.3.1.1).
  if (match_code(cpu, linear_rip(cpu)) != 0) cpu.eflags |= eflags::kRf;
  cpu.leave_block = true;
  return true;
}

/// `one` does an element and says whether to go on; `many` does up to `n` at once and returns how
/// many it did (0: it cannot).
template <Narrowed Which = Narrowed::Count, class One, class Many>
void repeat(String& s, One one, Many many) {
  if (!s.repeated()) {
    one();
    return;
  }
  s.narrow(Which);
  unsigned round = 0;
  for (u64 left = s.count.value(); left != 0; left = s.count.value()) {
    bool goes_on = true;
    u64 done = s.cpu.eflag(eflags::kTf) || comparing::is(comparing::one_by_one) ? 0 : many(left);
    if (done == 0) {
      goes_on = one();
      done = 1;
    }
    s.count.add(-static_cast<i64>(done));
    if (!goes_on || done == left || interrupted(s.cpu, ++round)) return;
  }
}

constexpr auto kOneByOne = [](u64) { return u64{0}; };

/// Host memory of `n` elements at an operand, if it is plain memory; `n` shrinks to what is there.
/// Null where the element-wise way must be taken.
u8* run_of(String& s, const Counter& at, unsigned segment, unsigned element, bool write, u64& n) {
  Cpu& cpu = s.cpu;
  const SegmentRegister& seg = cpu.seg[segment];
  const u64 offset = at.value();
  if (!cpu.long_mode()) {
    if (!(write ? seg.writable : seg.readable) || seg.expand_down || offset > seg.limit)
      return nullptr;
    n = std::min(n, (seg.limit - offset + 1) / element);
  }
  if (n == 0) return nullptr;
  const u64 linear = cpu.linear(segment, offset, element, write);
  n = std::min(n, at.room(linear, element));
  if (n == 0) return nullptr;
  return write ? cpu.view.find_write(linear, 1) : cpu.view.find_read(linear, 1);
}

struct Movs {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    repeat<Narrowed::Both>(
        s,
        [&] {
          const T value = cpu.read<T>(insn.seg, s.source.value());
          cpu.write<T>(Es, s.destination.value(), value);
          s.source.add(step);
          s.destination.add(step);
          return true;
        },
        [&](u64 n) -> u64 {
          if (s.down() || n < 4) return 0;
          u8* to = run_of(s, s.destination, Es, sizeof(T), true, n);
          const u8* from =
              to == nullptr ? nullptr : run_of(s, s.source, insn.seg, sizeof(T), false, n);
          if (from == nullptr) return 0;
          // A destination a little above the source sees what was just written: a pattern fill.
          const u64 bytes = n * sizeof(T);
          if (to > from && to < from + bytes) {
            for (u64 i = 0; i < bytes; i += sizeof(T)) std::memcpy(to + i, from + i, sizeof(T));
          } else {
            std::memmove(to, from, bytes);
          }
          s.source.add(static_cast<i64>(bytes));
          s.destination.add(static_cast<i64>(bytes));
          return n;
        });
  }
};

struct Stos {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    const T value = cpu.reg<T>(Rax);
    repeat<Narrowed::Destination>(
        s,
        [&] {
          cpu.write<T>(Es, s.destination.value(), value);
          s.destination.add(step);
          return true;
        },
        [&](u64 n) -> u64 {
          if (s.down() || n < 4) return 0;
          u8* to = run_of(s, s.destination, Es, sizeof(T), true, n);
          if (to == nullptr) return 0;
          if constexpr (sizeof(T) == 1)
            std::memset(to, value, n);
          else
            for (u64 i = 0; i < n; ++i) std::memcpy(to + i * sizeof(T), &value, sizeof(T));
          s.destination.add(static_cast<i64>(n * sizeof(T)));
          return n;
        });
  }
};

struct Lods {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    repeat(
        s,
        [&] {
          cpu.set_reg<T>(Rax, cpu.read<T>(insn.seg, s.source.value()));
          s.source.add(step);
          return true;
        },
        kOneByOne);
  }
};

template <class T>
void set_compare_flags(Flags& flags, T a, T b) {
  const T r = static_cast<T>(a - b);
  flags.set<T>(r, static_cast<T>((~a & b) | ((~a | b) & r)));
}
/// REPE goes on while equal, REPNE while not.
bool goes_on(const Cpu& cpu, const Insn& insn) { return cpu.flags.zf() == insn.has(kRep); }

/// How many of `n` elements at `bytes` go on: what `other(i)` gives is the same as they are, or is
/// not. 64 bytes at a time, as long as none of those stops.
template <class T, class Other>
u64 run_length(const u8* bytes, u64 n, bool while_equal, Other other) {
  constexpr u64 kPiece = 64 / sizeof(T);
  const auto element = [bytes](u64 i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof value);
    return value;
  };
  const auto piece_stops = [&](u64 at) {
    T stops = 0;
    for (u64 i = at; i < at + kPiece; ++i)
      stops |= static_cast<T>((element(i) == other(i)) != while_equal ? 1 : 0);
    return stops != 0;
  };
  u64 done = 0;
  while (done + kPiece <= n && !piece_stops(done)) done += kPiece;
  while (done < n && (element(done) == other(done)) == while_equal) ++done;
  return done;
}

/// Comparisons up to one that faults have set the flags on AMD's processors; on Intel's they are as
/// before the instruction (SDM vol. 2, REP).
template <class One, class Many>
void repeat_comparison(String& s, One one, Many many) {
  const Flags before = s.cpu.flags;
  try {
    repeat(s, one, many);
  } catch (const Fault&) {
    if (!system::is_amd(s.cpu)) s.cpu.flags = before;
    throw;
  }
}

struct Cmps {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    const auto one = [&] {
      // Which comes first shows if both fault: so it is on AMD's processors.
      const T b = cpu.read<T>(Es, s.destination.value());
      const T a = cpu.read<T>(insn.seg, s.source.value());
      set_compare_flags(cpu.flags, a, b);
      s.source.add(step);
      s.destination.add(step);
      return goes_on(cpu, insn);
    };
    repeat_comparison(s, one, [&](u64 n) -> u64 {
      if (s.down()) return 0;
      const u8* right = run_of(s, s.destination, Es, sizeof(T), false, n);
      const u8* left =
          right == nullptr ? nullptr : run_of(s, s.source, insn.seg, sizeof(T), false, n);
      if (left == nullptr) return 0;
      const auto at = [](const u8* bytes, u64 i) {
        T value;
        std::memcpy(&value, bytes + i * sizeof(T), sizeof value);
        return value;
      };
      const u64 same = run_length<T>(left, n, insn.has(kRep), [&](u64 i) { return at(right, i); });
      if (same == 0) return 0;
      set_compare_flags(cpu.flags, at(left, same - 1), at(right, same - 1));
      s.source.add(static_cast<i64>(same * sizeof(T)));
      s.destination.add(static_cast<i64>(same * sizeof(T)));
      return same;
    });
  }
};

struct Scas {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    const T a = cpu.reg<T>(Rax);
    const auto one = [&] {
      set_compare_flags(cpu.flags, a, cpu.read<T>(Es, s.destination.value()));
      s.destination.add(step);
      return goes_on(cpu, insn);
    };
    repeat_comparison(s, one, [&](u64 n) -> u64 {
      if (s.down()) return 0;
      const u8* bytes = run_of(s, s.destination, Es, sizeof(T), false, n);
      if (bytes == nullptr) return 0;
      const u64 same = run_length<T>(bytes, n, insn.has(kRep), [a](u64) { return a; });
      if (same == 0) return 0;
      T last;
      std::memcpy(&last, bytes + (same - 1) * sizeof(T), sizeof last);
      set_compare_flags(cpu.flags, a, last);
      s.destination.add(static_cast<i64>(same * sizeof(T)));
      return same;
    });
  }
};

// The destination is checked before the port is read: a device's read cannot be taken back.
struct Ins {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const u16 port = cpu.reg<u16>(Rdx);
    check_io(cpu, port, sizeof(T));
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    repeat(
        s,
        [&] {
          cpu.probe_write(Es, s.destination.value(), sizeof(T));
          cpu.write<T>(Es, s.destination.value(), static_cast<T>(read_port(cpu, port, sizeof(T))));
          s.destination.add(step);
          return true;
        },
        kOneByOne);
  }
};

struct Outs {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const u16 port = cpu.reg<u16>(Rdx);
    check_io(cpu, port, sizeof(T));
    String s(cpu, insn);
    const i64 step = s.step(sizeof(T));
    repeat(
        s,
        [&] {
          write_port(cpu, port, cpu.read<T>(insn.seg, s.source.value()), sizeof(T));
          s.source.add(step);
          return true;
        },
        kOneByOne);
  }
};

template <class F>
Execute sized(const Insn& insn) {
  // The port or accumulator may be operand 0 or 1; all data operands have the same size.
  return by_size<F>(insn, insn.op[0].kind == OperandKind::Memory ? 0 : 1);
}

constexpr std::array kBindings = {
    Binding{"movs", &sized<Movs>}, Binding{"stos", &sized<Stos>}, Binding{"lods", &sized<Lods>},
    Binding{"cmps", &sized<Cmps>}, Binding{"scas", &sized<Scas>}, Binding{"ins", &sized<Ins>},
    Binding{"outs", &sized<Outs>},
};

}  // namespace

std::span<const Binding> string_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
