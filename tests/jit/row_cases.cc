// SPDX-License-Identifier: GPL-2.0-or-later
// Random instructions of given rows, executed by the translator and by the interpreter.
#include "tests/jit/row_cases.h"

#include "target/x86/isa/generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

namespace rhea::test {
namespace {

using x86::isa::Row;

constexpr unsigned kPasses = 3, kMostShown = 20;
constexpr u8 kBase = x86::Rbx;

class RowComparison {
 public:
  RowComparison(const std::vector<const Row*>& rows, RowGates gates, RowMode mode, u64 seed)
      : rows_(rows), gates_(gates), mode_(mode), random_(seed), data_(4 * kPageSize) {}

  RowReport run(unsigned times) {
    for (const Row* row : rows_) {
      const unsigned before = report_.executed;
      for (unsigned n = 0; n < times; ++n) one(*row);
      if (report_.executed == before)
        report_.untested.push_back(fmt::format("{} {}", row->mnemonic, row->operands));
    }
    return std::move(report_);
  }

 private:
  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }

  /// Of a memory operand: aligned or not, at pages' ends, where there is nothing, read-only.
  u64 address() {
    constexpr u64 kData = RowGuest::kData;
    switch (below(10)) {
      case 0: return kData + below(0x1f00);
      case 1: return kData + 0x1000 - 1 - below(32);
      case 2: return kData + 0x2000 - 1 - below(32);
      case 3: return RowGuest::kAbsent + below(0x1000);
      case 4: return RowGuest::kReadOnly + (below(0x1000) & ~u64{31});
      case 5: return (u64{1} << 63) + below(64);
      case 6: return kData + (below(0x1f00) & ~u64{7});
      default: return kData + (below(0x1f00) & ~u64{31});
    }
  }

  /// Two floats, a double, small numbers, anything.
  u64 number() {
    constexpr std::array<u64, 12> kSome{0,
                                        u64{1} << 63,
                                        0x7ff0'0000'0000'0000,
                                        0x7ff8'0000'0000'0000,
                                        0x7ff0'0000'0000'0001,
                                        1,
                                        0x3ff0'0000'0000'0000,
                                        0xbff0'0000'0000'0000,
                                        0x43e0'0000'0000'0000,
                                        0x7f80'0000'3f80'0000,
                                        0x0000'0001'ff80'0001,
                                        ~u64{0}};
    switch (below(4)) {
      case 0: return kSome[below(kSome.size())];
      case 1: return 0x3f00'0000'3f00'0000 + (random_() & 0x1ff'ffff'01ff'ffff);
      case 2: return below(300);
      default: return random_();
    }
  }

  RowState state() {
    RowState made;
    for (u64& reg : made.gpr) reg = one_in(2) ? address() : number();
    made.gpr[kBase] = address();
    made.gpr[x86::Rsp] = RowGuest::kStack + 0x800;
    if (one_in(2)) made.gpr[x86::Rcx] = below(one_in(2) ? 8 : 0x2100);
    for (x86::VectorRegister& reg : made.ymm)
      for (u64& part : reg.q) part = number();
    if (one_in(2))
      for (x86::VectorRegister& reg : made.ymm) reg.q[2] = reg.q[3] = 0;
    for (x86::X87Register& reg : made.x87.reg) {
      reg.significand = one_in(2) ? number() | u64{1} << 63 : number();
      reg.sign_exponent = static_cast<u16>(one_in(2) ? 0x3ff0 + below(32) : random_());
    }
    made.x87.valid = static_cast<u8>(one_in(2) ? 0xff : one_in(2) ? 0 : random_());
    made.x87.fsw = static_cast<u16>(random_() & 0x7f7f);
    made.x87.fcw = static_cast<u16>((random_() & 0x1f00) | 0x7f);
    made.x87.fop = 0x123;
    made.x87.fip = random_();
    if (mode_ == RowMode::Compatibility)
      for (u64& reg : made.gpr) reg &= 0xffff'ffff;
    made.mxcsr = static_cast<u32>((random_() & 0xe07f) | 0x1f80);
    made.flags = 2 | (random_() & 0x8d5) | (one_in(8) ? 0x400 : 0);
    return made;
  }

  void set_gates(RowState& made) {
    using namespace x86;
    u64 cr0_bits = 0, cr4_bits = cr4::kOsfxsr | cr4::kOsxsave, xcr0 = 7;
    if (gates_ == RowGates::Random) {
      if (one_in(8)) cr0_bits |= cr0::kTs;
      if (one_in(8)) cr0_bits |= cr0::kEm;
      if (one_in(8)) cr4_bits &= ~cr4::kOsfxsr;
      if (one_in(8)) cr4_bits &= ~cr4::kOsxsave;
      if (one_in(8)) xcr0 = one_in(2) ? 1 : 3;
      if (one_in(3)) made.mxcsr &= static_cast<u32>(random_() | ~u64{0x1f80});
      if (one_in(3)) made.x87.fcw &= static_cast<u16>(random_() | ~u64{0x3f});
      if ((made.x87.fsw & ~made.x87.fcw & 0x3f) != 0) made.x87.fsw |= 0x8080;
    }
    for (RowGuest* guest : {&interpreter_, &translator_}) {
      Cpu& cpu = guest->cpu();
      cpu.cr0 = (cpu.cr0 & ~u64{cr0::kTs | cr0::kEm}) | cr0_bits;
      cpu.cr4 = (cpu.cr4 & ~u64{cr4::kOsfxsr | cr4::kOsxsave}) | cr4_bits;
      cpu.xcr0 = xcr0;
    }
  }

  bool generate_one(const Row& row, std::vector<u8>& bytes) {
    x86::isa::GenerateMode how{.code_bits = mode_ == RowMode::Long ? u8{64} : u8{32},
                               .avoid = 1U << x86::Rsp};
    if (!one_in(4)) {
      how.base = kBase;
      how.avoid |= 1U << kBase;
    }
    return x86::isa::generate(row, random_, how, bytes);
  }

  void one(const Row& row) {
    std::vector<u8> code;
    const u64 others = below(5), place = below(others + 1);
    for (u64 n = 0; n <= others; ++n)
      if (!generate_one(n == place ? row : *rows_[below(rows_.size())], code)) return;
    RowState before = state();
    set_gates(before);
    for (unsigned at = 0; at < data_.size(); at += 8) {
      const u64 value = number();
      std::memcpy(data_.data() + at, &value, 8);
    }
    interpreter_.load(code);
    translator_.load(code);
    interpreter_.fill(data_);
    const RowState wanted = interpreter_.run(before);
    ++report_.executed;
    report_.faulted += wanted.rip < RowGuest::kCode ? 1 : 0;
    translator_.cpu().flush_tlb();
    for (unsigned pass = 0; pass < kPasses; ++pass) {
      translator_.fill(data_);
      const std::string what = differences(translator_.run(before), wanted);
      if (what.empty() || report_.differences.size() >= kMostShown) continue;
      report_.differences.push_back(fmt::format("{} {}, pass {}: {:02x}:{}", row.mnemonic,
                                                row.operands, pass, fmt::join(code, " "), what));
      break;
    }
  }

  std::string differences(const RowState& is, const RowState& wanted) {
    std::string what;
    const auto compare = [&](std::string_view name, u64 a, u64 b) {
      if (a != b) what += fmt::format(" {} {:x} not {:x}", name, a, b);
    };
    for (unsigned n = 0; n < 16; ++n) {
      compare(fmt::format("gpr{}", n), is.gpr[n], wanted.gpr[n]);
      for (unsigned part = 0; part < 4; ++part)
        compare(fmt::format("ymm{}.{}", n, part), is.ymm[n].q[part], wanted.ymm[n].q[part]);
    }
    compare("rip", is.rip, wanted.rip);
    compare("flags", is.flags, wanted.flags);
    compare("cr2", is.cr2, wanted.cr2);
    compare("mxcsr", is.mxcsr, wanted.mxcsr);
    compare_x87(compare, is.x87, wanted.x87);
    if (std::memcmp(interpreter_.memory() + RowGuest::kData, translator_.memory() + RowGuest::kData,
                    RowGuest::kRam - RowGuest::kData) != 0)
      what += " memory";
    if (std::memcmp(interpreter_.memory() + RowGuest::kStack,
                    translator_.memory() + RowGuest::kStack, kPageSize) != 0)
      what += " stack";
    return what;
  }

  static void compare_x87(const auto& compare, const x86::X87& is, const x86::X87& wanted) {
    for (unsigned n = 0; n < 8; ++n) {
      compare(fmt::format("st{}", n), is.reg[n].significand, wanted.reg[n].significand);
      compare(fmt::format("st{}e", n), is.reg[n].sign_exponent, wanted.reg[n].sign_exponent);
    }
    compare("fcw", is.fcw, wanted.fcw);
    compare("fsw", is.fsw, wanted.fsw);
    compare("valid", is.valid, wanted.valid);
    compare("fop", is.fop, wanted.fop);
    compare("fip", is.fip, wanted.fip);
    compare("fdp", is.fdp, wanted.fdp);
    compare("fcs", is.fcs, wanted.fcs);
    compare("fds", is.fds, wanted.fds);
  }

  const std::vector<const Row*>& rows_;
  RowGates gates_;
  RowMode mode_;
  x86::isa::Random random_;
  RowGuest interpreter_{false, mode_}, translator_{true, mode_};
  std::vector<u8> data_;
  RowReport report_;
};

}  // namespace

RowReport compare_rows(const std::vector<const Row*>& rows, unsigned times, RowGates gates,
                       RowMode mode, u64 seed) {
  return RowComparison(rows, gates, mode, seed).run(times);
}

}  // namespace rhea::test
