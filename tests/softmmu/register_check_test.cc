// SPDX-License-Identifier: GPL-2.0-or-later
// Register tables that are wrong, and the sentences that say how.
#include "rhea/softmmu/registers.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// Only a place for members: its tables are never used.
class Flawed final : public Device {
 public:
  static constexpr std::string_view kName = "test-flawed";
  u8 byte{};
  u32 word{};
  std::array<u32, 4> words{};
  u32 get() const { return word; }
  void set(u32 value) { word = value; }
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64, unsigned) {}
};

// The sentence of a table with these rows in a bank of 32 bytes.
template <class Table>
std::string problem(Table) {
  return std::string(detail::BankCode<Flawed, Table>::problem().view());
}

enum class Three : u8 { A, B, C };

}  // namespace
}  // namespace rhea::test

template <>
struct rhea::EnumTraits<rhea::test::Three> {
  static constexpr std::string_view kType = "Three";
  static constexpr std::array<std::string_view, 3> kNames = {"a", "b", "c"};
};

namespace rhea::test {
namespace {

constexpr BankShape kSmall{.name = "small", .size = 32};

TEST(RegisterTable, AGoodOneHasNoProblem) {
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, &Flawed::word)); }), "");
}

TEST(RegisterTable, RegistersMustNotOverlap) {
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::word), reg("B", 2, &Flawed::byte));
            }),
            "register B at 0x2 overlaps A");
}

TEST(RegisterTable, ARangeMustNotOverlapARegister) {
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0x10, &Flawed::word),
                              reg.range("W", 0, 32, &Flawed::read, &Flawed::write));
            }),
            "register W at 0x0 overlaps A");
}

TEST(RegisterTable, NamesAreUnique) {
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::word), reg("A", 4, &Flawed::byte));
            }),
            "register A at 0x4 has a name that another has");
}

TEST(RegisterTable, ARegisterHasAName) {
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("", 4, &Flawed::word)); }),
            "the register at 0x4 has no name");
}

TEST(RegisterTable, ARegisterLiesInItsBank) {
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 0x20, &Flawed::byte)); }),
            "register A at 0x20 ends outside of the bank of 0x20 bytes");
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 0x14, &Flawed::words)); }),
            "register A at 0x14 ends outside of the bank of 0x20 bytes");
}

TEST(RegisterTable, WidthsArePowersOfTwoThatTheMemberHas) {
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, &Flawed::byte).width(2)); }),
            "register A at 0x0 is wider than its member");
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, 3).constant(0)); }),
            "register A at 0x0 is 3 bytes wide: 1, 2, 4 and 8 are possible");
}

TEST(RegisterTable, RegistersAreAligned) {
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 2, &Flawed::word)); }),
            "register A at 0x2 is not aligned to its width");
}

TEST(RegisterTable, SomeAccessMustReachARegister) {
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank({.size = 32, .sizes = {.min = 4, .max = 4}},
                              reg("A", 0, &Flawed::byte).reach(Reach::Exact));
            }),
            "register A at 0x0 has a width that no access to the bank can have");
}

TEST(RegisterTable, FieldsLieInTheirRegister) {
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).field("F", 0x180));
            }),
            "register A at 0x0 has a field F outside of its 8 bits");
  EXPECT_EQ(
      problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, &Flawed::byte).field("F", 0)); }),
      "register A at 0x0 has a field F without bits");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).field("F", 0x05));
            }),
            "register A at 0x0 has a field F whose bits are not adjacent");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).field("F", 0x03).field("G", 0x06));
            }),
            "register A at 0x0 has a field G that overlaps another");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).field("F", 0x01, names_of<Three>));
            }),
            "register A at 0x0 has a field F with more names than values");
}

TEST(RegisterTable, BitsAreThoseOfTheWidth) {
  EXPECT_EQ(
      problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, &Flawed::byte).reset(0x100)); }),
      "register A at 0x0 has the value 0x100, but 8 bits");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).writable(0xfff));
            }),
            "register A at 0x0 has writable bits 0xfff, but 8 bits");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).writable(3).write_1_clears(1));
            }),
            "register A at 0x0 has bits that are writable and write-1-to-clear");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::byte).bits(3).reset(4));
            }),
            "register A at 0x0 has bits in its reset value that are not there");
}

TEST(RegisterTable, EffectsDoNotContradictEachOther) {
  EXPECT_EQ(problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, 4)); }),
            "register A at 0x0 has neither member, constant, read_by nor write_by");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, &Flawed::word).read_only().write_only());
            }),
            "register A at 0x0 is read-only and write-only");
  EXPECT_EQ(
      problem([](auto reg) { return reg.bank(kSmall, reg("A", 0, &Flawed::word).constant(1)); }),
      "register A at 0x0 is constant, but has a value of its own");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall,
                              reg("A", 0, &Flawed::word).read_only().write_by(&Flawed::set));
            }),
            "register A at 0x0 is read-only, but says what a write does");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall,
                              reg("A", 0, &Flawed::word).write_only().read_by(&Flawed::get));
            }),
            "register A at 0x0 is write-only, but says what a read does");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, 4).read_by(&Flawed::get).write_1_clears(1));
            }),
            "register A at 0x0 has no member to write to and no write_by");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(kSmall, reg("A", 0, 4).read_by(&Flawed::get).read_clears(1));
            }),
            "register A at 0x0 has no member to clear");
  EXPECT_EQ(problem([](auto reg) {
              return reg.bank(
                  kSmall,
                  reg("A", 0, &Flawed::word).write_by(&Flawed::set).after_write(&Flawed::set));
            }),
            "register A at 0x0 has both write_by and after_write: one does");
}

}  // namespace
}  // namespace rhea::test
