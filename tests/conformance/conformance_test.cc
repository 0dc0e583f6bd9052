// SPDX-License-Identifier: GPL-2.0-or-later
// What every device type says of itself, tested for each one that is registered.
#include "tests/conformance/conformance.h"

#include <algorithm>
#include <cctype>

namespace rhea::test {
namespace {

TEST_P(Conformance, SaysWhatItIs) {
  EXPECT_FALSE(type().help.empty()) << "no help text";
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties) {
      EXPECT_FALSE(p.name.empty());
      EXPECT_EQ(p.name.find_first_of(" ,="), std::string::npos) << p.name;
    }
}

TEST_P(Conformance, EveryPropertyCanBeRead) {
  const auto object = *create_object(GetParam());
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties) EXPECT_TRUE(object->get(p.name)) << p.name;
}

TEST_P(Conformance, EveryPropertyTakesItsDefaultAndRefusesNonsense) {
  const auto object = *create_object(GetParam());
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties) {
      if (!p.set) {
        EXPECT_FALSE(object->set(p.name, "1")) << p.name;
        continue;
      }
      if (p.default_value.index() != 0) {
        EXPECT_TRUE(object->set(p.name, p.default_value)) << p.name;
      }
      if (p.type == "str" || p.type.starts_with("link<")) continue;
      const auto refused = object->set(p.name, "nonsense value");
      ASSERT_FALSE(refused) << p.name;
      EXPECT_NE(refused.error().message().find(p.name), std::string::npos)
          << refused.error().message();
    }
}

TEST_P(Conformance, IntegerPropertiesKeepTheirLimits) {
  const auto object = *create_object(GetParam());
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties) {
      if (!p.set || p.type.find("int") == std::string::npos) continue;
      if (p.range.max != std::numeric_limits<u64>::max()) {
        EXPECT_TRUE(object->set(p.name, p.range.max)) << p.name;
        EXPECT_FALSE(object->set(p.name, p.range.max + 1)) << p.name;
      }
      if (p.range.min != std::numeric_limits<i64>::min()) {
        EXPECT_TRUE(object->set(p.name, std::to_string(p.range.min))) << p.name;
        EXPECT_FALSE(object->set(p.name, std::to_string(p.range.min - 1))) << p.name;
      }
      EXPECT_FALSE(object->set(p.name, "99999999999999999999999")) << p.name;
    }
}

TEST_P(Conformance, EnumsTakeEachOfTheirNames) {
  const auto object = *create_object(GetParam());
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties)
      for (const std::string& name : p.enum_values) {
        ASSERT_TRUE(object->set(p.name, name)) << p.name << "=" << name;
        EXPECT_EQ(to_text(*object->get(p.name)), name);
      }
}

// A device that waits for ever in one of its registers.
class Hanging final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "test-hanging";
  static void describe(Schema<Hanging>& s) { s.help("never answers"); }
  Result<> realize() override {
    region_.init_io(*this, "hanging", 1, io<&Hanging::read, &Hanging::write>({.min = 1, .max = 1}));
    add_port(0x300, region_);
    return {};
  }

 private:
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64, unsigned) {
    for (;;) ::pause();
  }
  Region region_;
};
const RegisterType<Hanging> hanging_registration;

TEST(ConformanceOfBugs, AHangIsOneLineThatNamesDeviceAndAccess) {
  Specimen specimen(*find_type("test-hanging"));
  ASSERT_NE(specimen.device(), nullptr) << specimen.error();
  ::setenv("RHEA_HANG_SECONDS", "1", 1);
  EXPECT_EXIT(Fuzzer(specimen, 1).run(1000), ::testing::ExitedWithCode(1),
              "test-hanging: write of 1 bytes at port 0x300, value 0x[0-9a-f]+: never comes back");
  ::unsetenv("RHEA_HANG_SECONDS");
}

INSTANTIATE_TEST_SUITE_P(AllTypes, Conformance, ::testing::ValuesIn(device_type_names()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace_if(
                               name, [](unsigned char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace rhea::test
