// SPDX-License-Identifier: GPL-2.0-or-later
// The interpreter's integer instructions against the host's own, form by form.
#include "tests/cpu/integer_cases.h"

#include "target/x86/interp/bind.h"
#include "target/x86/isa/generate.h"
#include "tests/cpu/coverage.h"
#include "tests/cpu/integer_guest.h"
#include "tests/cpu/integer_state.h"
#include "tests/cpu/undefined.h"
#include "tests/support/environment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>

namespace rhea::x86 {
namespace {

constexpr u64 kGuard = 0x1000;

/// What makes two encodings of a row different forms.
struct FormKey {
  unsigned size{};
  bool memory{};
  auto operator<=>(const FormKey&) const = default;
};

class Comparison {
 public:
  Comparison(NativeMode mode, u64 seed)
      : layout_(layout(mode)),
        guest_(std::make_unique<IntegerGuest>(mode)),
        native_(mode),
        states_(mode, seed, guest_->is_amd()) {}

  void row(const isa::Row& row, u64 cases) {
    std::map<FormKey, u64> done;
    // Operand sizes come up at random, 16 bits once in eight times.
    const auto short_of = [&](const auto& form) { return form.second < cases; };
    const u64 least = 64, most = cases * 16 / kStatesEach + least;
    for (u64 i = 0; i < least || (i < most && std::ranges::any_of(done, short_of)); ++i)
      encoding(row, cases, done);
    report_.forms += static_cast<unsigned>(done.size());
    if (done.empty())
      report_.differences.push_back(fmt::format("{} {}: no case", row.mnemonic, row.operands));
    for (const auto& [key, count] : done) {
      if (count == 0)
        report_.differences.push_back(fmt::format("{} {} size {}{}: every case strayed",
                                                  row.mnemonic, row.operands, key.size,
                                                  key.memory ? " memory" : ""));
      if (count < cases / 2)
        report_.thin.push_back(fmt::format("{} {} size {}{}: {}", row.mnemonic, row.operands,
                                           key.size, key.memory ? " memory" : "", count));
    }
  }
  IntegerReport take() {
    for (const auto& [row, count] : differing_)
      if (count > shown_)
        report_.differences.push_back(
            fmt::format("{} {}: {} differ in all", row->mnemonic, row->operands, count));
    return std::move(report_);
  }

 private:
  static constexpr u64 kStatesEach = 4;

  void encoding(const isa::Row& row, u64 cases, std::map<FormKey, u64>& done) {
    code_.clear();
    const isa::GenerateMode mode{.code_bits = layout_.code_bits, .amd = guest_->is_amd()};
    if (!isa::generate(row, states_.random(), mode, code_)) return;
    Insn insn;
    if (decode(code_, guest_->decode_mode(), insn) != DecodeStatus::Ok) return;
    if (&isa::rows()[insn.row] != &row) return;  // a feature that the host has not
    const bool branches = is_branch(row.mnemonic);
    const u64 expected = native_.next(branches);
    if (touches_fs(row, insn)) return;
    // The stack has to stay where faults cannot come: which is found first is not architectural.
    if (row.mnemonic == "callf" && insn.base == Rsp) return;
    if (insn.memory() && row.mnemonic != "lea" && row.mnemonic != "nop") {
      const Insn before = insn;
      if (!states_.fix_displacement(code_, insn, expected)) return;
      if (decode(code_, guest_->decode_mode(), insn) != DecodeStatus::Ok) return;
      // The bytes of the displacement stood elsewhere, too.
      if (insn.row != before.row || insn.modrm != before.modrm) return;
      if (insn.modrm != 0 && insn.imm != before.imm) return;
    }
    if (insn.op[0].kind == OperandKind::Far) {
      states_.fix_far_pointer(code_, insn);
      decode(code_, guest_->decode_mode(), insn);
    }
    if (branches && jumps_astray(insn, expected)) return;
    u64& count =
        done[{insn.op[0].size > insn.operand_size || insn.op[0].size == 1 ? insn.op[0].size
                                                                          : insn.operand_size,
              insn.memory()}];
    if (count >= cases) return;
    interp::bind(insn);
    const u64 at = native_.place(code_, branches);
    for (u64 i = 0; i < kStatesEach; ++i) count += one(row, insn, at) ? 1 : 0;
  }

  /// FS is the host's way to its thread's data.
  static bool touches_fs(const isa::Row& row, const Insn& insn) {
    const bool loads = row.mnemonic == "movseg" && insn.op[0].kind == OperandKind::Segment;
    return (insn.seg == Fs && row.mnemonic != "lea") || (loads && insn.op[0].reg == Fs);
  }
  /// Into other code, or into its own middle; `to` and `at` are linear.
  bool astray(u64 to, u64 at, unsigned length) const {
    if (layout_.code_bits != 64) to &= 0xffff'ffff;
    if (to >= layout_.code && to < layout_.branch) return true;
    if (to >= kStubs - kLongestInsn && to < kKeepEnd) return true;
    return to >= at && to < at + length;
  }
  bool jumps_astray(const Insn& insn, u64 at) const {
    if (insn.op[0].kind != OperandKind::Relative) return false;
    const u64 to = (at + insn.length + insn.imm) & Cpu::size_mask(insn.operand_size);
    return astray(to + layout_.base, at + layout_.base, insn.length);
  }

  bool one(const isa::Row& row, const Insn& insn, u64 at) {
    const NativeState before = states_.make(insn, row.mnemonic, at);
    copy_memory();
    const std::optional<Fault> fault = guest_->run(insn, before);
    if (strays(fault) || jumps_into_code(row, insn, fault) || reads_processor_number(row, insn)) {
      ++report_.strayed;
      std::memcpy(guest_->window(), native_.window(), kWindowEnd - kWindow);
      return false;
    }
    NativeState after = before;
    NativeFault native = native_.run(after);
    settle(row, insn, before.rip, after, native);
    ++report_.cases;
    if (native.happened) ++report_.faults;
    compare(row, insn, before, after, native, fault);
    return true;
  }

  /// The state's random bytes lie around one or two places; what differs is copied.
  void copy_memory() {
    u8* guest = guest_->window();
    const u8* native = native_.window();
    for (u64 page = 0; page < 0x2000; page += 0x100)
      if (std::memcmp(guest + page, native + page, 0x100) != 0)
        std::memcpy(guest + page, native + page, 0x100);
  }

  static bool strays(const std::optional<Fault>& fault) {
    return fault && fault->vector == Vector::Pf &&
           (fault->cr2 < kWindow - kGuard || fault->cr2 >= kWindowEnd + kGuard);
  }
  bool jumps_into_code(const isa::Row& row, const Insn& insn, const std::optional<Fault>& fault) {
    if (!is_branch(row.mnemonic) || fault) return false;
    const u64 to = guest_->linear_rip(), at = layout_.base + guest_->cpu().insn_rip;
    if (to == at + insn.length) return false;
    return astray(to, at, insn.length) || !guest_->cpu().canonical(to);
  }

  bool reads_processor_number(const isa::Row& row, const Insn& insn) {
    return row.mnemonic == "lsl" && guest_->cpu().reg<u16>(insn.op[0].reg) == kProcessorNumberLimit;
  }

  /// A branch ends in an INT3 or in a fetch that finds no page, or the end of the canonical
  /// addresses: it was done.
  static void settle(const isa::Row& row, const Insn& insn, u64 at, NativeState& after,
                     NativeFault& native) {
    if (!native.happened) {
      after.rip += insn.length;
      return;
    }
    if (!is_branch(row.mnemonic)) return;
    if (native.vector == 3) {
      native = {};
      --after.rip;
    } else if ((native.vector == 14 && (native.error & pf::kFetch) != 0) ||
               (native.vector == 13 && after.rip != at)) {
      native = {};
    }
  }

  void compare(const isa::Row& row, const Insn& insn, const NativeState& before,
               const NativeState& after, const NativeFault& native,
               const std::optional<Fault>& fault) {
    const UndefinedCase which{row, insn, before, guest_->is_amd()};
    const bool either = native.happened && fault && leaves_fault_undefined(which);
    std::string what = either ? std::string() : fault_difference(native, fault);
    Cpu& cpu = guest_->cpu();
    // Upper halves are undefined behind compatibility mode.
    const u64 mask = Cpu::size_mask(after.seg[Cs] == kHostCode64 ? 8 : 4);
    // What a POPA that faults had popped is in registers, or is not: rSP lets it start again.
    const bool popped = native.happened && row.mnemonic == "popa";
    for (unsigned n = 0; n < 16; ++n)
      if ((!popped || n == Rsp) && ((cpu.gpr[n] ^ after.gpr[n]) & mask) != 0)
        what += fmt::format(" R{} {:x} not {:x}", n, cpu.gpr[n], after.gpr[n]);
    for (const unsigned n : {Es, Cs, Ss, Ds, Gs})
      if (!same_selector(cpu.seg[n].selector, after.seg[n]))
        what += fmt::format(" segment {} {:x} not {:x}", n, cpu.seg[n].selector, after.seg[n]);
    if (cpu.rip() != after.rip) what += fmt::format(" RIP {:x} not {:x}", cpu.rip(), after.rip);
    const u64 ignored = (native.happened ? 0 : undefined_flags(which)) | eflags::kRf;
    const u64 flags = (cpu.rflags() ^ after.rflags) & ~ignored;
    if (flags != 0)
      what += fmt::format(" flags {:x} not {:x}", cpu.rflags() & ~ignored, after.rflags & ~ignored);
    const std::string memory = memory_difference();
    if (!leaves_memory_undefined(which, native)) what += memory;
    if (!what.empty() && ++differing_[&row] <= shown_) show(row, insn, before, what);
  }

  /// Makes it the host's.
  std::string memory_difference() {
    u8 *ours = guest_->window(), *hosts = native_.window();
    const u64 size = kWindowEnd - kWindow;
    if (std::memcmp(ours, hosts, size) == 0) return {};
    const auto first = static_cast<u64>(std::mismatch(ours, ours + size, hosts).first - ours);
    const u64 shown = std::min<u64>(8, size - first);
    std::string text = fmt::format(" memory {:x}: {:02x} not {:02x}", kWindow + first,
                                   fmt::join(ours + first, ours + first + shown, " "),
                                   fmt::join(hosts + first, hosts + first + shown, " "));
    std::memcpy(ours, hosts, size);
    return text;
  }

  void show(const isa::Row& row, const Insn& insn, const NativeState& before,
            std::string_view what) {
    const auto reg = [&](unsigned n) { return before.gpr[insn.op[n].reg & 15U]; };
    const auto& gpr = before.gpr;
    report_.differences.push_back(fmt::format(
        "{} {}: {:02x}:{} | flags {:x} rcx {:x} rax {:x} rsp {:x} ss {:x} op0 {:x} op1 {:x} "
        "rdx {:x} rsi {:x} rdi {:x} at {:x}",
        row.mnemonic, row.operands, fmt::join(code_, " "), what, before.rflags, gpr[Rcx], gpr[Rax],
        gpr[Rsp], before.seg[Ss], reg(0), reg(1), gpr[Rdx], gpr[Rsi], gpr[Rdi], before.rip));
  }

  /// Every return from the host's kernel makes all null selectors 0.
  static bool same_selector(u16 a, u16 b) { return a == b || (a < 4 && b < 4); }

  static std::string fault_difference(const NativeFault& native, const std::optional<Fault>& f) {
    NativeFault ours{.happened = f.has_value()};
    if (f) {
      ours.vector = static_cast<u8>(f->vector);
      ours.error = f->error;
    }
    const bool page = native.happened && native.vector == 14;
    ours.cr2 = page && f ? f->cr2 : native.cr2;
    if (ours == native) return {};
    return fmt::format(" fault {} {}:{:x} cr2 {:x} not {} {}:{:x} cr2 {:x}", ours.happened,
                       ours.vector, ours.error, f ? f->cr2 : 0, native.happened, native.vector,
                       native.error, native.cr2);
  }

  NativeLayout layout_;
  std::unique_ptr<IntegerGuest> guest_;
  NativeRun native_;
  IntegerState states_;
  std::vector<u8> code_;
  std::map<const isa::Row*, u64> differing_;
  u64 shown_{test::from_environment("RHEA_CPU_SHOWN", 4)};  ///< differences of each row
  IntegerReport report_;
};

}  // namespace

bool compares_integer_row(const isa::Row& row, NativeMode mode) {
  if (row.is(mode == NativeMode::Long ? isa::No64 : isa::Only64)) return false;
  const bool x87 = row.map == isa::Map::OneByte && row.opcode >= 0xd8 && row.opcode <= 0xdf;
  return !x87 && !row.is(isa::NativeVector) && reason_not_compared(row) == nullptr &&
         host_executes(row);
}

IntegerReport compare_integer_rows(NativeMode mode, u64 cases, u64 seed) {
  Comparison comparison(mode, seed);
  for (const isa::Row& row : isa::rows())
    if (compares_integer_row(row, mode)) comparison.row(row, cases);
  return comparison.take();
}

}  // namespace rhea::x86
