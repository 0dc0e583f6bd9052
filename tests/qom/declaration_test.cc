// SPDX-License-Identifier: GPL-2.0-or-later
// Declarations that compile and are wrong: nobody gets an object of such a type.
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace rhea
