// SPDX-License-Identifier: GPL-2.0-or-later
// What every device type must do, tested for each one that is registered.
#include "rhea/block/block_backend.h"
#include "tests/conformance/fuzzer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace rhea::test {
namespace {

class Conformance : public ::testing::TestWithParam<std::string> {
 protected:
  const TypeInfo& type() const { return *find_type(GetParam()); }
};

// Types that only a real board or host can carry say so in one line; the board's own suite covers
// them.
#define REQUIRE_ON_BENCH(specimen)                             \
  if ((specimen).device() == nullptr) {                        \
    EXPECT_FALSE((specimen).error().empty());                  \
    EXPECT_FALSE(type().user_creatable) << (specimen).error(); \
    return;                                                    \
  }

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

TEST_P(Conformance, ASecondResetChangesNothing) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  random_accesses(specimen.bench().machine(), *specimen.device(), 1, 500);
  specimen.bench().reset(ResetKind::Cold);
  const auto once = specimen.save();
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_EQ(specimen.save(), once);
}

TEST_P(Conformance, SaveLoadSaveIsByteIdentical) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  for (u64 seed = 1; seed <= 5; ++seed) {
    random_accesses(specimen.bench().machine(), *specimen.device(), seed, 300);
    const auto stream = specimen.save();
    specimen.bench().reset();
    const auto loaded = specimen.load(stream);
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(specimen.save(), stream) << "seed " << seed;
  }
}

// Whoever joins several devices' lines into one must hear again what each says.
TEST_P(Conformance, InterruptsAreRepeatedAfterALoad) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  for (u64 seed = 1; seed <= 5; ++seed) {
    random_accesses(specimen.bench().machine(), *specimen.device(), seed, 300);
    const auto stream = specimen.bench().save();
    const std::string lines = specimen.lines();
    specimen.bench().reset();
    specimen.bench().lower_lines();
    ASSERT_TRUE(specimen.bench().load(stream));
    EXPECT_EQ(specimen.lines(), lines) << "seed " << seed;
  }
}

TEST_P(Conformance, TruncatedAndGarbledStatesAreRefused) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  const auto stream = specimen.save();
  const std::size_t step = std::max<std::size_t>(1, stream.size() / 512);
  for (std::size_t at = 0; at < stream.size(); at += step) {
    EXPECT_FALSE(specimen.load(std::span<const u8>(stream).first(at))) << "cut at " << at;
    auto bad = stream;
    bad[at] ^= 0x55;
    EXPECT_FALSE(specimen.load(bad)) << "flipped at " << at;
  }
  EXPECT_TRUE(specimen.load(stream));
}

TEST_P(Conformance, SurvivesRandomAccesses) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  const unsigned wanted = access_count(10'000);
  const unsigned done = random_accesses(specimen.bench().machine(), *specimen.device(), 42, wanted);
  // Objects inside another device (a keyboard) are reached in that device's own run, as is what the
  // guest reaches through another only: vmcoreinfo is a file of fw_cfg's.
  EXPECT_TRUE(done == wanted || !type().user_creatable || type().name == "vmcoreinfo") << done;
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_FALSE(specimen.save().empty());
}

// Two machines, one loaded from what the other saved, must do the same for ever after.
TEST_P(Conformance, LoadIsLikeSave) {
  Specimen original(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(original);
  Specimen copy(type(), Specimen::Given::Everything);
  for (u64 seed = 1; seed <= 3; ++seed) {
    Fuzzer(original, seed).run(400);
    const auto loaded = copy.bench().load(original.bench().save());
    ASSERT_TRUE(loaded) << loaded.error().message();
    copy.copy_peers(original);
    Fuzzer one(original, seed + 100);
    Fuzzer other(copy, seed + 100);
    one.run(400);
    other.run(400);
    const auto [a, b] = std::ranges::mismatch(one.seen(), other.seen());
    ASSERT_TRUE(a == one.seen().end() && b == other.seen().end())
        << "seed " << seed << ", observation " << a - one.seen().begin();
    ASSERT_EQ(original.bench().read(0, 512 * KiB), copy.bench().read(0, 512 * KiB)) << seed;
  }
}

// What a reset leaves on the hardware, too.
bool keeps_state_over_reset(const std::string& name) {
  return name == "i8237"            // a master clear leaves addresses, counts and modes
         || name == "mc146818rtc";  // has a battery
}

TEST_P(Conformance, ResetIsLikeNew) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  Specimen fresh(type(), Specimen::Given::Everything);
  Fuzzer(specimen, 11).run(access_count(3000));
  fresh.bench().machine().virtual_clock().set_ns(
      specimen.bench().machine().virtual_clock().now_ns());
  fresh.bench().reset(ResetKind::Cold);
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_EQ(specimen.lines(), fresh.lines());
  if (keeps_state_over_reset(type().name)) return;
  const auto used = specimen.save();
  const auto unused = fresh.save();
  const auto [at, other] = std::ranges::mismatch(used, unused);
  EXPECT_TRUE(used == unused) << "state differs from byte " << at - used.begin() << " of "
                              << unused.size();
}

TEST_P(Conformance, UnplugLeavesNothing) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  Machine& machine = specimen.bench().machine();
  Fuzzer(specimen, 12).run(access_count(3000));
  ASSERT_TRUE(machine.unplug(*specimen.device()));
  for (const auto& child : machine.container("/chardevs").children())
    EXPECT_FALSE(static_cast<Chardev&>(*child).attached()) << child->name();
  for (BlockBackend* drive : drives(machine)) EXPECT_EQ(drive->device(), nullptr) << drive->name();
  // A drive's controller stays, with its line.
  if (type().bus.empty() || type().bus == "ISA" || type().bus == "PCI") {
    EXPECT_EQ(specimen.lines(), "");
    EXPECT_EQ(machine.virtual_clock().next_expiry_ns(), -1);
    EXPECT_EQ(machine.map().flat_text(), Bench().machine().map().flat_text());
  }
  specimen.bench().advance(kNsPerSecond);
  machine.loop().iterate(false);
}

TEST_P(Conformance, UnrealizeLeavesTheMemoryMapAsItWas) {
  const auto map_of = [](Machine& machine) { return machine.map().flat_text(); };
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  Machine& machine = specimen.bench().machine();
  Device& device = *specimen.device();
  ASSERT_TRUE(machine.unplug(device));
  const std::string without = map_of(machine);
  Specimen again(type());
  EXPECT_NE(again.device(), nullptr);
  ASSERT_TRUE(again.bench().machine().unplug(*again.device()));
  EXPECT_EQ(map_of(again.bench().machine()), without);
  Bench empty;
  if (type().bus.empty() || type().bus == "ISA" || type().bus == "PCI") {
    EXPECT_EQ(without, map_of(empty.machine()));
  }
}

TEST_P(Conformance, CanBeRealizedAgain) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  Machine& machine = specimen.bench().machine();
  Device& device = *specimen.device();
  const std::string map = machine.map().flat_text();
  const auto state = specimen.save();
  random_accesses(machine, device, 9, 300);
  ASSERT_TRUE(device.set_realized(false));
  const auto again = device.set_realized(true);
  ASSERT_TRUE(again) << again.error().message();
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_EQ(machine.map().flat_text(), map);
  EXPECT_EQ(specimen.save().size(), state.size());
  random_accesses(machine, device, 10, 300);
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
  EXPECT_EXIT(Fuzzer(specimen, 1).run(1000, 1), ::testing::ExitedWithCode(1),
              "test-hanging: write of 1 bytes at port 0x300, value 0x[0-9a-f]+: never comes back");
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
