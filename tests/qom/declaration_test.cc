// SPDX-License-Identifier: GPL-2.0-or-later
// Declarations that compile and are wrong: nobody gets an object of such a type.
#include "rhea/hw/pci.h"
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/registers.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace rhea {
namespace {

template <class Self>
class Wrong : public Device {
 public:
  u8 one{}, two{};
};

class TwoStates final : public Wrong<TwoStates> {
 public:
  static constexpr std::string_view kName = "test-two-states";
  static void describe(Schema<TwoStates>& s) {
    s.state("level", &TwoStates::one);
    s.state("other", &TwoStates::one);
    s.state("level", &TwoStates::two);
  }
};
class TwoProperties final : public Wrong<TwoProperties> {
 public:
  static constexpr std::string_view kName = "test-two-properties";
  static void describe(Schema<TwoProperties>& s) {
    s.property("size", &TwoProperties::one, u8{1});
    s.property("size", &TwoProperties::two, u8{1});
  }
};
class OutOfRange final : public Wrong<OutOfRange> {
 public:
  static constexpr std::string_view kName = "test-out-of-range";
  static void describe(Schema<OutOfRange>& s) {
    s.property("step", &OutOfRange::one, u8{0}).range(1, 100);
  }
};
class BelowRange final : public Wrong<BelowRange> {
 public:
  static constexpr std::string_view kName = "test-below-range";
  static void describe(Schema<BelowRange>& s) {
    s.property("offset", &BelowRange::offset, -3).range(-2, 2);
  }
  i32 offset{};
};
class Base : public Wrong<Base> {
 public:
  static constexpr std::string_view kName = "test-declared-base";
  using Extendable = Base;
  static void describe(Schema<Base>& s) { s.property("addr", &Base::one, u8{1}); }
};
class Hiding final : public Base {
 public:
  static constexpr std::string_view kName = "test-hiding";
  static void describe(Schema<Hiding>& s) { s.property("addr", &Hiding::two, u8{1}); }
};

/// Wrong in the one way that `N` says.
template <int N>
class Slip : public Wrong<Slip<N>> {
 public:
  static constexpr std::array<std::string_view, 8> kNames = {
      "test-slip-0", "test-slip-1", "test-slip-2", "test-slip-3",
      "test-slip-4", "test-slip-5", "test-slip-6", "test-slip-7"};
  static constexpr std::string_view kName = kNames[N];
  static void describe(Schema<Slip>& s) {
    if constexpr (N == 0) s.property("id", &Slip::one, u8{1});
    if constexpr (N == 1) s.property("a,b", &Slip::one, u8{1});
    if constexpr (N == 2) s.computed("count", "int", [](const Slip&) -> Value { return u64{1}; });
    if constexpr (N == 3) s.property("size", &Slip::one, u8{1}).range(9, 5);
    if constexpr (N == 4) s.state("level", &Slip::one).range(9, 5);
    if constexpr (N == 5) s.state("level", &Slip::one).since(2);
    if constexpr (N == 6) s.state_version(1, 2);
    if constexpr (N == 7) {
      const auto always = [](const Slip&) { return true; };
      s.subsection("part", always, [](auto& part) { part.state("level", &Slip::one); });
      s.subsection("part", always, [](auto& part) { part.state("level", &Slip::two); });
    }
  }
};

/// Registers that nothing can map.
template <int N>
class Unmapped : public Wrong<Unmapped<N>> {
 public:
  static constexpr std::array<std::string_view, 2> kNames = {"test-unmapped-0", "test-unmapped-1"};
  static constexpr std::string_view kName = kNames[N];
  static void describe(Schema<Unmapped>& s) {
    auto mapped =
        s.registers(&Unmapped::bank, [](auto reg) { return reg("A", 0, &Unmapped::one); });
    if constexpr (N == 0) mapped.bar(0);
    if constexpr (N == 1) mapped.at_port(0x300);
  }
  RegisterBank bank;
};

class BarSix final : public PciDevice {
 public:
  static constexpr std::string_view kName = "test-bar-6";
  static constexpr PciIdentity kPci{.vendor = 1, .device = 2};
  static void describe(Schema<BarSix>& s) {
    s.registers(&BarSix::bank, [](auto reg) { return reg("A", 0, &BarSix::one); }).bar(6);
  }
  u32 one{};
  RegisterBank bank;
};
class BarTwice final : public PciDevice {
 public:
  static constexpr std::string_view kName = "test-bar-twice";
  static constexpr PciIdentity kPci{.vendor = 1, .device = 2};
  static void describe(Schema<BarTwice>& s) {
    s.registers(&BarTwice::first, [](auto reg) { return reg("A", 0, &BarTwice::one); }).bar(1);
    s.registers(&BarTwice::second, [](auto reg) { return reg("B", 0, &BarTwice::two); }).bar(1);
  }
  u32 one{}, two{};
  RegisterBank first, second;
};

const RegisterType<Slip<0>, Device> slip_0;
const RegisterType<Slip<1>, Device> slip_1;
const RegisterType<Slip<2>, Device> slip_2;
const RegisterType<Slip<3>, Device> slip_3;
const RegisterType<Slip<4>, Device> slip_4;
const RegisterType<Slip<5>, Device> slip_5;
const RegisterType<Slip<6>, Device> slip_6;
const RegisterType<Slip<7>, Device> slip_7;
const RegisterType<Unmapped<0>, Device> unmapped_0;
const RegisterType<Unmapped<1>, Device> unmapped_1;
const RegisterType<BarSix> bar_six;
const RegisterType<BarTwice> bar_twice;
const RegisterType<TwoStates, Device> two_states;
const RegisterType<TwoProperties, Device> two_properties;
const RegisterType<OutOfRange, Device> out_of_range;
const RegisterType<BelowRange, Device> below_range;
const RegisterType<Base, Device> base;
const RegisterType<Hiding> hiding;

std::string refusal(std::string_view type) {
  const auto made = create_object(type);
  return made ? "made" : made.error().message();
}

TEST(Declaration, TwoStatesOfOneNameAreRefused) {
  EXPECT_EQ(refusal("test-two-states"), "type 'test-two-states' declares two states named 'level'");
}
TEST(Declaration, TwoPropertiesOfOneNameAreRefused) {
  EXPECT_EQ(refusal("test-two-properties"),
            "type 'test-two-properties' declares two properties named 'size'");
}
TEST(Declaration, ADefaultOutsideOfItsRangeIsRefused) {
  EXPECT_EQ(
      refusal("test-out-of-range"),
      "type 'test-out-of-range': the default of property 'step', 0, is outside of its range, 1 "
      "to 100");
}
TEST(Declaration, ANegativeDefaultBelowItsRangeIsRefused) {
  EXPECT_EQ(
      refusal("test-below-range"),
      "type 'test-below-range': the default of property 'offset', -3, is outside of its range, "
      "-2 to 2");
}
TEST(Declaration, APropertyThatHidesABasesIsRefused) {
  EXPECT_EQ(refusal("test-hiding"),
            "type 'test-hiding' declares the property 'addr', which it has from "
            "'test-declared-base'");
  EXPECT_EQ(refusal("test-declared-base"), "made");
}

TEST(Declaration, APropertyThatNoOptionReachesIsRefused) {
  EXPECT_EQ(refusal("test-slip-0"),
            "type 'test-slip-0' declares a property 'id': that is a word of -device itself");
  EXPECT_EQ(refusal("test-slip-1"),
            "type 'test-slip-1' declares a property 'a,b', which no option can name");
  EXPECT_EQ(refusal("test-slip-2"), "made");
}
TEST(Declaration, ARangeThatNothingIsInIsRefused) {
  EXPECT_EQ(refusal("test-slip-3"),
            "type 'test-slip-3' gives property 'size' a range that nothing is in, 9 to 5");
  EXPECT_EQ(refusal("test-slip-4"),
            "type 'test-slip-4' gives state 'level' a range that nothing is in, 9 to 5");
}
TEST(Declaration, VersionsThatContradictEachOtherAreRefused) {
  EXPECT_EQ(refusal("test-slip-5"),
            "type 'test-slip-5' has state 'level' since version 2, but its state has version 1");
  EXPECT_EQ(refusal("test-slip-6"),
            "type 'test-slip-6' can load state from version 2 on, but has version 1");
}
TEST(Declaration, TwoSubsectionsOfOneNameAreRefused) {
  EXPECT_EQ(refusal("test-slip-7"), "type 'test-slip-7' declares two subsections named 'part'");
}
TEST(Declaration, RegistersThatNothingMapsAreRefused) {
  EXPECT_EQ(
      refusal("test-unmapped-0"),
      "type 'test-unmapped-0' maps registers 'test-unmapped-0' as a BAR, but is no PCI device");
  EXPECT_EQ(
      refusal("test-unmapped-1"),
      "type 'test-unmapped-1' maps registers 'test-unmapped-1' at a port, but is no ISA device");
  EXPECT_EQ(refusal("test-bar-6"),
            "type 'test-bar-6' maps registers 'test-bar-6' as BAR 6: there are 0 to 5");
  EXPECT_EQ(refusal("test-bar-twice"),
            "type 'test-bar-twice' maps two banks of registers as BAR 1");
}

}  // namespace
}  // namespace rhea
