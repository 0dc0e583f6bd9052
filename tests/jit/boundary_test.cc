// SPDX-License-Identifier: GPL-2.0-or-later
// Host code of random blocks stays behind the boundary, and the checker sees what does not.
#include "tests/jit/boundary.h"

#include "target/x86/decode/decode.h"
#include "target/x86/interp/bind.h"
#include "target/x86/isa/generate.h"
#include "target/x86/translate/runtime.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using namespace x86::translating;
using x86::Insn;

constexpr unsigned kRandomBlocks = 500, kMostInsns = 40;

/// Room for host code, with what all blocks share at its beginning.
class EmittedCode {
 public:
  EmittedCode() : room_(256 * KiB), layout_(bench_.cpu) {
    Assembler a(room_);
    runtime_ = emit_runtime(a, layout_).runtime;
    shared_ = a.offset();
  }
  std::string violation(std::span<const Insn> insns, const BlockMode& mode) {
    Translator translator(std::span<u8>(room_).subspan(shared_), layout_, runtime_, this);
    Translator::Result made;
    if (!translator.run(insns, 0x123, mode, made)) return "no room";
    return check(made.entry, made.size, mode.long_mode());
  }
  /// Of code that `emit` writes.
  std::string violation(const std::function<void(Assembler&)>& emit) {
    Assembler a(std::span<u8>(room_).subspan(shared_));
    emit(a);
    return check(0, a.offset());
  }
  const StateLayout& layout() const { return layout_; }
  const x86::CpuModel& model() const { return bench_.model; }

 private:
  std::string check(std::size_t entry, std::size_t size, bool long_mode = true) {
    return boundary_violation({.code = room_,
                               .begin = shared_,
                               .end = shared_ + size,
                               .entry = shared_ + entry,
                               .long_mode = long_mode},
                              bench_.cpu);
  }

  std::vector<u8> room_;
  CpuBench bench_;
  StateLayout layout_;
  Runtime runtime_;
  std::size_t shared_{};
};

/// Any valid instructions, as long as nothing ends the block.
std::vector<Insn> random_block(x86::isa::Random& random, u8 bits, const x86::CpuModel& model) {
  const auto rows = x86::isa::rows();
  std::vector<Insn> insns;
  const x86::DecodeMode how{.code_bits = bits, .features = &model.features, .amd = model.is_amd()};
  while (insns.size() < kMostInsns) {
    std::vector<u8> bytes;
    generate(rows[random() % rows.size()], random, {.code_bits = bits}, bytes);
    Insn insn;
    if (x86::decode(bytes, how, insn) != x86::DecodeStatus::Ok) continue;
    x86::interp::bind(insn);
    insns.push_back(insn);
    if (x86::isa::rows()[insn.row].is(x86::isa::EndsBlock)) break;
  }
  return insns;
}

std::string first_violation(u8 bits, const BlockMode& mode) {
  EmittedCode code;
  x86::isa::Random random(bits);
  std::string found;
  for (unsigned n = 0; n < kRandomBlocks && found.empty(); ++n)
    found = code.violation(random_block(random, bits, code.model()), mode);
  return found;
}

TEST(Boundary, RandomBlocksOf64BitCodeAccessNothingUnchecked) {
  EXPECT_EQ(first_violation(64, {.code_bits = 64, .flat_data = true, .flat_code = true}), "");
}

TEST(Boundary, RandomBlocksOfFlat32BitCodeAccessNothingUnchecked) {
  EXPECT_EQ(first_violation(
                32, {.code_bits = 32, .flat_data = true, .flat_code = true, .wide_stack = true}),
            "");
}

TEST(Boundary, RandomBlocksOf16BitCodeAccessNothingUnchecked) {
  EXPECT_EQ(first_violation(16, {.code_bits = 16}), "");
}

TEST(Boundary, RandomBlocksOfSegmented32BitCodeAccessNothingUnchecked) {
  EXPECT_EQ(first_violation(32, {.code_bits = 32, .wide_stack = true}), "");
}

TEST(Boundary, AnAccessByAGuestsRegisterIsSeen) {
  EmittedCode code;
  const auto emit = [](Assembler& a) { a.load(8, host::kRax, {.base = host::kRbx}); };
  EXPECT_EQ(code.violation(emit), "unchecked access at 0x0: 48 8b 03");
}

TEST(Boundary, AStoreBehindAProbeForReadingIsSeen) {
  EmittedCode code;
  const auto emit = [&](Assembler& a) {
    a.alu(8, kAnd, kScratch1, code.layout().table_mask);
    a.alu(8, kAdd, kScratch1, code.layout().read_table);
    a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
    static_cast<void>(a.jcc(kNotEqual));
    a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
    a.store(8, {.base = kScratch1, .index = host::kRbx}, host::kRax);
  };
  EXPECT_EQ(code.violation(emit).substr(0, 16), "unchecked access");
}

TEST(Boundary, AnAccessByWhatWasFoundBeforeACallIsSeen) {
  EmittedCode code;
  const auto emit = [&](Assembler& a) {
    a.alu(8, kAnd, kScratch1, code.layout().table_mask);
    a.alu(8, kAdd, kScratch1, code.layout().read_table);
    a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
    static_cast<void>(a.jcc(kNotEqual));
    a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
    a.load(8, host::kRax, {.base = kScratch1, .index = host::kRbx});
    Assembler::bind(a.call(), a.start());
    a.load(8, host::kRcx, {.base = kScratch1, .index = host::kRbx});
  };
  EXPECT_EQ(code.violation(emit).substr(0, 16), "unchecked access");
}

/// Out of the code.
void leave(Assembler& a, u8* displacement) { Assembler::bind(displacement, a.start() - 16); }

/// Looks up 8 bytes to read at RBX + 16: the addend is in kScratch1.
void probe(Assembler& a, const StateLayout& layout) {
  a.lea(8, kScratch0, {.base = host::kRbx, .disp = 16});
  a.mov(kScratch1, kScratch0);
  a.shift_imm(8, kShr, kScratch1, x86::TlbView::kByteShift);
  a.alu(8, kAnd, kScratch1, layout.table_mask);
  a.alu(8, kAdd, kScratch1, layout.read_table);
  a.lea(8, kScratch0, {.base = kScratch0, .disp = 7});
  a.alu_imm(8, kAnd, kScratch0, -0x1000);
  a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
  leave(a, a.jcc(kNotEqual));
  a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
}
void load_at(Assembler& a, i32 disp) {
  a.load(8, host::kRcx, {.base = kScratch1, .index = host::kRbx, .disp = disp});
}
/// Whether 8 bytes from RBX + `from` lie on the page with at most, or at least, so much before.
void compare_offset(Assembler& a, i32 from, Condition missing, i64 limit) {
  a.lea(4, kScratch0, {.base = host::kRbx, .disp = from});
  a.alu_imm(4, kAnd, kScratch0, 0xfff);
  a.alu_imm(4, kCmp, kScratch0, limit);
  leave(a, a.jcc(missing));
}

std::string violation_behind_probe(const std::function<void(Assembler&)>& emit) {
  EmittedCode code;
  return code
      .violation([&](Assembler& a) {
        probe(a, code.layout());
        emit(a);
        leave(a, a.jmp());
      })
      .substr(0, 16);
}

TEST(Boundary, AnAccessToWhatWasComparedMayBe) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) { load_at(a, 16); }), "");
}

TEST(Boundary, AnAccessBehindWhatWasComparedIsSeen) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) { load_at(a, 17); }), "unchecked access");
}

TEST(Boundary, AnAccessBeforeWhatWasComparedIsSeen) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) { load_at(a, 15); }), "unchecked access");
}

TEST(Boundary, AnAccessByARegisterThatHasChangedIsSeen) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) {
              a.alu(8, kAdd, host::kRbx, unsigned{host::kRax});
              load_at(a, 16);
            }),
            "unchecked access");
}

TEST(Boundary, AnAccessByARegisterThatHasMovedMayBe) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) {
              a.lea(8, host::kRbx, {.base = host::kRbx, .disp = 8});
              load_at(a, 8);
            }),
            "");
}

TEST(Boundary, AnAccessThatAnOffsetAllowsMayBe) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) {
              compare_offset(a, 16, kAbove, 0x1000 - 32);
              load_at(a, 40);
            }),
            "");
}

TEST(Boundary, AnAccessBehindWhatAnOffsetAllowsIsSeen) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) {
              compare_offset(a, 16, kAbove, 0x1000 - 32);
              load_at(a, 41);
            }),
            "unchecked access");
}

TEST(Boundary, AnAccessBeforeWhatAnOffsetAllowsIsSeen) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) {
              compare_offset(a, 16, kBelow, 24);
              load_at(a, -9);
            }),
            "unchecked access");
}

TEST(Boundary, AnOffsetOfAnotherAddressAllowsNothing) {
  EXPECT_EQ(violation_behind_probe([](Assembler& a) {
              compare_offset(a, 64, kAbove, 0x1000 - 32);
              load_at(a, 40);
            }),
            "unchecked access");
}

TEST(Boundary, AnEntryThatWasNotComparedIsSeen) {
  EmittedCode code;
  const auto emit = [&](Assembler& a) {
    a.alu(8, kAnd, kScratch1, code.layout().table_mask);
    a.alu(8, kAdd, kScratch1, code.layout().read_table);
    a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
    a.load(8, host::kRax, {.base = kScratch1, .index = host::kRbx});
  };
  EXPECT_EQ(code.violation(emit).substr(0, 16), "unchecked access");
}

}  // namespace
}  // namespace rhea::test
