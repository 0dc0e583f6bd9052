// SPDX-License-Identifier: GPL-2.0-or-later
// Random instructions of every vector row, executed by the interpreter and by the host itself.
#include "tests/cpu/vector_cases.h"

#include "target/x86/isa/row.h"
#include "tests/cpu/coverage.h"
#include "tests/cpu/fpu_machine.h"
#include "tests/cpu/host_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>

namespace rhea::x86 {
namespace {

using isa::Method;

constexpr u64 kGuestOperand = 0x6000;
constexpr unsigned kMemoryBase = Rbx;

struct FormChoice {
  bool memory{}, l{}, w{};
};

bool has(const isa::Row& row, std::initializer_list<Method> methods) {
  return std::ranges::any_of(row.operand, [&](const isa::OperandSpec& spec) {
    return std::ranges::find(methods, spec.method) != methods.end();
  });
}

bool uses_mmx(const isa::Row& row) { return has(row, {Method::P, Method::Q, Method::N}); }

bool possible(const isa::Row& row, FormChoice form) {
  if (form.memory ? row.is(isa::RegisterOnly) : row.is(isa::MemoryOnly)) return false;
  if (form.l ? !row.vex || row.is(isa::VexL0) : row.is(isa::VexL1)) return false;
  return form.w ? !row.is(isa::VexW0) : !row.is(isa::VexW1);
}

class Generator {
 public:
  explicit Generator(u64 seed) : random_(seed) {}

  u64 number() { return random_(); }
  /// Two floats or a double, often at an edge.
  u64 operand() {
    constexpr std::array<u32, 20> kFloats{
        0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffa00001,
        1,          0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0x3f800000, 0xbf800000,
        0x3f000000, 0x4b000000, 0x00800001, 0x33800000, 0x4f000000, 0xcf000000};
    constexpr std::array<u64, 16> kDoubles{0,
                                           u64{1} << 63,
                                           0x7ff0'0000'0000'0000,
                                           0xfff0'0000'0000'0000,
                                           0x7ff8'0000'0000'0000,
                                           0x7ff0'0000'0000'0001,
                                           1,
                                           0x000f'ffff'ffff'ffff,
                                           0x0010'0000'0000'0000,
                                           0x7fef'ffff'ffff'ffff,
                                           0x3ff0'0000'0000'0000,
                                           0xbff0'0000'0000'0000,
                                           0x43e0'0000'0000'0000,
                                           0x41e0'0000'0000'0000,
                                           0x36a0'0000'0000'0000,
                                           0x47ef'ffff'e000'0000};
    const auto near_one = [&] { return u64{0x3f00'0000 + (number() & 0x1ff'ffff)}; };
    switch (number() % 4) {
      case 0: return kFloats[number() % 20] | u64{kFloats[number() % 20]} << 32;
      case 1: return kDoubles[number() % 16];
      case 2: return near_one() | near_one() << 32;
      default: return number();
    }
  }
  u32 mxcsr(SimdExceptions exceptions) {
    const auto value = static_cast<u32>(number() & 0xe07f);
    if (exceptions == SimdExceptions::Masked) return value | 0x1f80;
    return value | static_cast<u32>(number() & 0x1f80);
  }
  /// Neither RSP, which the oracle needs, nor the memory operand's base.
  unsigned general_register() {
    const auto n = static_cast<unsigned>(number() & 15);
    return n == Rsp || n == kMemoryBase ? Rsi : n;
  }
  HostState state(SimdExceptions exceptions) {
    HostState made;
    for (VectorRegister& reg : made.ymm)
      for (u64& q : reg.q) q = operand();
    for (u64& gpr : made.gpr) gpr = operand();
    for (u64& mm : made.mmx) mm = operand();
    made.mxcsr = mxcsr(exceptions);
    return made;
  }
  std::vector<u8> encode(const isa::Row& row, FormChoice form);

 private:
  std::mt19937_64 random_;
};

std::vector<u8> Generator::encode(const isa::Row& row, FormChoice form) {
  const unsigned any_reg = has(row, {Method::G}) ? general_register() : number() & 15;
  const unsigned reg = row.extension >= 0 ? static_cast<unsigned>(row.extension) : any_reg;
  const unsigned any_rm = has(row, {Method::E, Method::R}) ? general_register() : number() & 15;
  const unsigned rm = form.memory ? kMemoryBase : any_rm;
  const unsigned vvvv = has(row, {Method::H}) ? number() & 15 : 0;
  const unsigned prefix =
      row.prefix == isa::MandatoryPrefix::Np ? 0 : static_cast<unsigned>(row.prefix);
  const auto map = static_cast<unsigned>(row.map);
  std::vector<u8> code;
  const auto put = [&](unsigned value) { code.push_back(static_cast<u8>(value)); };
  if (row.vex) {
    put(0xc4);
    put((~reg >> 3 & 1) << 7 | 0x40 | (~rm >> 3 & 1) << 5 | map);
    put((form.w ? 0x80 : 0) | (~vvvv & 15) << 3 | (form.l ? 4 : 0) | prefix);
  } else {
    constexpr std::array<u8, 4> kPrefixes{0, 0x66, 0xf3, 0xf2};
    if (prefix != 0) put(kPrefixes[prefix]);
    put(0x40 | (form.w ? 8 : 0) | (reg >> 3) << 2 | rm >> 3);
    put(0x0f);
    if (row.map == isa::Map::Map0f38) put(0x38);
    if (row.map == isa::Map::Map0f3a) put(0x3a);
  }
  put(row.opcode);
  put((form.memory ? 0 : 0xc0) | (reg & 7) << 3 | (rm & 7));
  for (const isa::OperandSpec& spec : row.operand)
    if (spec.method == Method::I || spec.method == Method::L) put(number() & 0xff);
  return code;
}

/// Interpreter and host side by side.
class Comparison {
 public:
  Comparison(SimdExceptions exceptions, u64 seed) : exceptions_(exceptions), generator_(seed) {}

  void row(const isa::Row& row, unsigned times) {
    const unsigned before = report_.executed;
    for (unsigned n = 0; n < 8; ++n) {
      const FormChoice form{.memory = (n & 1) != 0, .l = (n & 2) != 0, .w = (n & 4) != 0};
      for (unsigned i = 0; i < times && possible(row, form); ++i) one(row, form);
    }
    if (report_.executed == before) report_.untested.emplace_back(row.mnemonic);
  }
  VectorReport take() { return std::move(report_); }

 private:
  void one(const isa::Row& row, FormChoice form) {
    const std::vector<u8> code = generator_.encode(row, form);
    HostState host = generator_.state(exceptions_);
    for (u64& q : host_memory_) q = generator_.operand();
    Cpu& cpu = machine_->cpu;
    if (form.memory) host.gpr[kMemoryBase] = kGuestOperand;
    cpu.ymm = host.ymm;
    std::ranges::copy(host.gpr, cpu.gpr.begin());
    for (unsigned n = 0; n < 8; ++n) cpu.x87.reg[n] = {host.mmx[n], 0xffff};
    cpu.mxcsr = host.mxcsr;
    cpu.flags.set_value(0);
    machine_->poke(kGuestOperand, host_memory_);

    const std::optional<Vector> fault = machine_->execute(code);
    if (form.memory) host.gpr[kMemoryBase] = reinterpret_cast<u64>(host_memory_.data());
    const bool completed = oracle_.run(code, uses_mmx(row), host);
    if (form.memory) host.gpr[kMemoryBase] = kGuestOperand;
    ++report_.executed;
    report_.exceptions += completed ? 0 : 1;

    std::string what;
    if (fault.has_value() == completed || (fault && *fault != Vector::Xm)) what = " fault";
    what += differences(row, host, completed);
    if (!what.empty() && report_.differences.size() < 50)
      report_.differences.push_back(
          fmt::format("{} {}: {:02x}:{}", row.mnemonic, row.operands, fmt::join(code, " "), what));
  }

  std::string differences(const isa::Row& row, const HostState& host, bool completed) const {
    const Cpu& cpu = machine_->cpu;
    std::string what;
    if (cpu.mxcsr != host.mxcsr) what += fmt::format(" MXCSR {:x} not {:x}", cpu.mxcsr, host.mxcsr);
    if (machine_->peek<Operand>(kGuestOperand) != host_memory_) what += " memory";
    for (unsigned n = 0; n < 16; ++n) {
      if (cpu.ymm[n].q != host.ymm[n].q) what += fmt::format(" YMM{}", n);
      if (n != Rsp && cpu.gpr[n] != host.gpr[n]) what += fmt::format(" GPR{}", n);
    }
    if (!completed) return what;
    if (uses_mmx(row))
      for (unsigned n = 0; n < 8; ++n)
        if (cpu.x87.reg[n].significand != host.mmx[n]) what += fmt::format(" MM{}", n);
    if (cpu.flags.value() != (host.flags & eflags::kStatus)) what += " flags";
    return what;
  }

  using Operand = std::array<u64, 8>;
  SimdExceptions exceptions_;
  Generator generator_;
  std::unique_ptr<FpuMachine> machine_ = std::make_unique<FpuMachine>();
  HostOracle oracle_;
  alignas(64) Operand host_memory_{};
  VectorReport report_;
};

}  // namespace

bool compares_vector_row(const isa::Row& row) {
  return row.is(isa::NativeVector) && !row.is(isa::Vsib) && host_executes(row);
}

VectorReport compare_vector_rows(unsigned times, SimdExceptions exceptions, u64 seed) {
  Comparison comparison(exceptions, seed);
  for (const isa::Row& row : isa::rows())
    if (compares_vector_row(row)) comparison.row(row, times);
  return comparison.take();
}

}  // namespace rhea::x86
