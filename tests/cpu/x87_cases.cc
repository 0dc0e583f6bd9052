// SPDX-License-Identifier: GPL-2.0-or-later
// Random x87 states and instructions: the short ways against the whole state on the host's FPU.
#include "tests/cpu/x87_cases.h"

#include "target/x86/decode/decode.h"
#include "target/x86/interp/bind.h"
#include "target/x86/interp/x87.h"
#include "target/x86/isa/row.h"
#include "tests/cpu/fpu_machine.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <random>

namespace rhea::x86 {
namespace {

constexpr u64 kOperand = 0x5000;

class Comparison {
 public:
  explicit Comparison(u64 seed) : random_(seed) {}

  void encoding(u8 opcode, u8 modrm, u64 times) {
    const std::array<u8, 2> bytes{opcode, modrm};
    Insn insn;
    const DecodeMode mode{
        .code_bits = 64, .real_or_v86 = false, .features = &machine_->model.features};
    if (decode(bytes, mode, insn) != DecodeStatus::Ok) return;
    const bool control = interp::bind_x87_control(insn) != nullptr;
    const Execute quick = control ? nullptr : interp::bind_x87_short(insn);
    const X87Way way = control ? X87Way::Control : quick ? X87Way::Short : X87Way::Host;
    ways_[insn.row] = std::max(ways_[insn.row], way);
    for (u64 n = 0; n < times && quick != nullptr; ++n) one(insn, quick);
  }
  const std::map<unsigned, X87Way>& ways() const { return ways_; }
  X87Report take() { return std::move(report_); }

 private:
  struct Result {
    X87 x87;
    std::array<u8, 16> memory{};
    u32 flags{};
    friend bool operator==(const Result& a, const Result& b) {
      return a.x87.reg == b.x87.reg && a.x87.fsw == b.x87.fsw && a.x87.valid == b.x87.valid &&
             a.x87.fcw == b.x87.fcw && a.x87.fop == b.x87.fop && a.x87.fip == b.x87.fip &&
             a.x87.fdp == b.x87.fdp && a.memory == b.memory && a.flags == b.flags;
    }
  };

  u64 number() { return random_(); }
  X87Register value() {
    constexpr std::array<u16, 13> kExponents{0,      1,      0x3fff, 0x4000, 0x3ffe, 0x7ffe, 0x7fff,
                                             0x3f80, 0x3c00, 0x4080, 0x43ff, 0x403e, 0x3f81};
    const std::array<u64, 6> significands{0,
                                          u64{1} << 63,
                                          ~u64{0},
                                          u64{1} << 63 | (number() & 0xff),
                                          u64{1} << 63 | number() << 40,
                                          number()};
    const auto near_one = static_cast<u16>(0x3ffa + number() % 70);
    const u16 exponent = number() % 3 == 0 ? near_one : kExponents[number() % 13];
    return {significands[number() % 6], static_cast<u16>(exponent | (number() & 1) << 15)};
  }
  X87 state() {
    X87 made;
    for (X87Register& reg : made.reg) reg = value();
    const u64 masks = number() % 4 == 0 ? number() & 0x3f : 0x3f;
    made.fcw = static_cast<u16>(0x40 | (number() & 0xf00) | masks);
    made.fsw = static_cast<u16>((number() & 0x7f40) | (number() & made.fcw & 0x3f));
    const auto all_but_next = static_cast<u8>(~(1U << ((made.top() - 1) & 7)));
    made.valid = number() % 3 == 0 ? static_cast<u8>(number()) : all_but_next;
    return made;
  }
  std::array<u8, 16> operand() {
    constexpr std::array<u64, 8> kEdges{
        0x7ff0'0000'0000'0000, 0x7ff0'0000'0000'0001, 1,
        0x7f80'0000'7f80'0001, 0x7fc0'0000'7fc0'0000, 0x0000'0001'0000'0001,
        0x3ff0'0000'0000'0000, 0x3f80'0000'3f80'0000};
    const X87Register extended = value();
    const u64 edge = kEdges[number() % 8];
    std::array<u8, 16> bytes{};
    std::memcpy(bytes.data(), &extended, 10);
    if (number() % 2 == 0) std::memcpy(bytes.data(), &edge, 8);
    return bytes;
  }
  Result run(const Insn& insn, Execute execute, const Result& start) {
    Cpu& cpu = machine_->cpu;
    cpu.x87 = start.x87;
    cpu.gpr[Rbx] = kOperand;
    cpu.flags.set_value(start.flags);
    machine_->poke(kOperand, start.memory);
    execute(cpu, insn);
    return {cpu.x87, machine_->peek<std::array<u8, 16>>(kOperand), cpu.flags.value()};
  }
  void one(const Insn& insn, Execute quick) {
    const Result start{state(), operand(), static_cast<u32>(number() & eflags::kStatus)};
    const Result a = run(insn, quick, start);
    const Result b = run(insn, &interp::x87_any, start);
    ++report_.executed;
    if (a == b || report_.differences.size() >= 20) return;
    report_.differences.push_back(
        fmt::format("{} {:02x} {:02x}: FCW {:04x} FSW {:04x} tags {:02x}: {:04x} not {:04x}",
                    isa::rows()[insn.row].mnemonic, insn.opcode, insn.modrm, start.x87.fcw,
                    start.x87.fsw, start.x87.valid, a.x87.fsw, b.x87.fsw));
  }

  std::mt19937_64 random_;
  std::unique_ptr<FpuMachine> machine_ = std::make_unique<FpuMachine>();
  X87Report report_;
  std::map<unsigned, X87Way> ways_;
};

void every_encoding(Comparison& comparison, u64 times) {
  for (unsigned opcode = 0xd8; opcode < 0xe0; ++opcode) {
    for (unsigned reg = 0; reg < 8; ++reg)  // [RBX]
      comparison.encoding(static_cast<u8>(opcode), static_cast<u8>(reg << 3 | Rbx), times);
    for (unsigned modrm = 0xc0; modrm < 0x100; ++modrm)
      comparison.encoding(static_cast<u8>(opcode), static_cast<u8>(modrm), times);
  }
}

}  // namespace

X87Report compare_x87_ways(u64 times, u64 seed) {
  Comparison comparison(seed);
  every_encoding(comparison, times);
  return comparison.take();
}

std::map<unsigned, X87Way> x87_ways() {
  Comparison comparison(1);
  every_encoding(comparison, 0);
  return comparison.ways();
}

}  // namespace rhea::x86
