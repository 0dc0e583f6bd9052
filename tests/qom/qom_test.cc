// SPDX-License-Identifier: GPL-2.0-or-later
// The object model: properties, trees, state streams.
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/snapshot.h"

#include <gtest/gtest.h>

#include <span>

namespace rhea {
namespace {

enum class Color : u8 { Red, Green };

struct Inner {
  u16 a{};
  std::array<u8, 4> b{};
  static void describe(StateFields<Inner>& f) {
    f.state("a", &Inner::a);
    f.state("b", &Inner::b).survives_reset();
  }
};

class Sample : public Device {
 public:
  static constexpr std::string_view kName = "test-sample";
  using Extendable = Sample;
  static void describe(Schema<Sample>& s);
  Sample() {
    init_gpio_in<&Sample::set_pin>(*this, "left", 1);
    init_gpio_in<&Sample::set_pin>(*this, "right", 2);
  }
  void set_pin(unsigned pin, bool level) { pins.emplace_back(pin, level); }

  std::vector<std::pair<unsigned, bool>> pins;
  bool flag{};
  u8 small{};
  i32 number{};
  u64 size{};
  std::string text;
  OnOffAuto mode{};
  Sample* peer{};
  Inner inner;
  std::vector<u8> fifo;
  u32 counter{};
  u16 rare{};
  bool loaded{};
  static constexpr std::string_view kLinkRoot = "/samples";
  Result<> post_load(unsigned) override {
    loaded = true;
    return {};
  }
};

void Sample::describe(Schema<Sample>& s) {
  s.help("a sample");
  s.property("flag", &Sample::flag, true).help("a flag");
  s.property("small", &Sample::small, u8{7}).range(1, 9);
  s.property("number", &Sample::number, i32{-5});
  s.property("size", &Sample::size, u64{4 * KiB}).as_size();
  s.property("text", &Sample::text, std::string("hello"));
  s.property("mode", &Sample::mode, OnOffAuto::Auto);
  s.link("peer", &Sample::peer);
  s.state("inner", &Sample::inner);
  s.state("fifo", &Sample::fifo).range(0, 16);
  s.state("counter", &Sample::counter).range(0, 1000).survives_reset();
  s.subsection(
      "rare", [](const Sample& sample) { return sample.rare != 0; },
      [](auto& fields) { fields.state("rare", &Sample::rare); });
}

class Derived final : public Sample {
 public:
  static constexpr std::string_view kName = "test-derived";
  static void describe(Schema<Derived>& s) { s.property("extra", &Derived::extra, u16{1}); }
  u16 extra{};
};

const RegisterType<Sample, Device> sample_registration;
const RegisterType<Derived> derived_registration;

TEST(Registry, KnowsTypesByName) {
  ASSERT_NE(find_type("test-derived"), nullptr);
  EXPECT_EQ(find_type("no-such-type"), nullptr);
  EXPECT_TRUE(find_type("test-derived")->is_a("test-sample"));
  EXPECT_TRUE(find_type("test-derived")->is_a("device"));
  EXPECT_FALSE(find_type("test-sample")->is_a("test-derived"));
}

TEST(Registry, NoNameIsTakenTwice) { EXPECT_TRUE(duplicate_types().empty()); }

TEST(Registry, UnknownAndAbstractTypesAreErrors) {
  EXPECT_EQ(create_object("nonsense").error().message(), "'nonsense' is not a known type");
  EXPECT_FALSE(create_object("device").has_value());
}

TEST(Property, DefaultsAreAssignedAtCreation) {
  const auto sample = create<Derived>();
  EXPECT_TRUE(sample->flag);
  EXPECT_EQ(sample->small, 7);
  EXPECT_EQ(sample->number, -5);
  EXPECT_EQ(sample->size, 4096u);
  EXPECT_EQ(sample->text, "hello");
  EXPECT_EQ(sample->extra, 1);
}

TEST(Property, TextIsParsed) {
  const auto sample = create<Sample>();
  EXPECT_TRUE(sample->set("flag", "off"));
  EXPECT_TRUE(sample->set("small", "0x9"));
  EXPECT_TRUE(sample->set("number", "-2147483648"));
  EXPECT_TRUE(sample->set("size", "1.5M"));
  EXPECT_TRUE(sample->set("mode", "on"));
  EXPECT_FALSE(sample->flag);
  EXPECT_EQ(sample->small, 9);
  EXPECT_EQ(sample->number, std::numeric_limits<i32>::min());
  EXPECT_EQ(sample->size, 1536 * KiB);
  EXPECT_EQ(sample->mode, OnOffAuto::On);
}

TEST(Property, ErrorsNamePropertyAndValue) {
  const auto sample = create<Sample>();
  EXPECT_EQ(sample->set("small", "10").error().message(),
            "Property 'test-sample.small': 10 is out of range (1..9)");
  EXPECT_EQ(sample->set("flag", "maybe").error().message(),
            "Property 'test-sample.flag': 'maybe' is neither on nor off");
  EXPECT_EQ(sample->set("mode", "perhaps").error().message(),
            "Property 'test-sample.mode': 'perhaps' is not one of auto, on, off");
  EXPECT_EQ(sample->set("size", "1e2").error().message(),
            "Property 'test-sample.size': '1e2' is not a size: a number with an optional suffix B, "
            "K, M, G, T, P or E");
  EXPECT_EQ(sample->set("none", "1").error().message(), "Property 'test-sample.none' not found");
  EXPECT_FALSE(sample->set("number", "2147483648"));
  EXPECT_FALSE(sample->set("size", "12Q"));
  EXPECT_FALSE(sample->set("size", "999999999999T"));
  EXPECT_FALSE(sample->set("small", ""));
  EXPECT_FALSE(sample->set("small", "-1"));
  EXPECT_FALSE(sample->set("text", u64{3}));
}

TEST(Property, GetGivesTypedValues) {
  const auto sample = create<Sample>();
  EXPECT_EQ(std::get<bool>(*sample->get("flag")), true);
  EXPECT_EQ(std::get<u64>(*sample->get("small")), 7u);
  EXPECT_EQ(std::get<i64>(*sample->get("number")), -5);
  EXPECT_EQ(std::get<std::string>(*sample->get("mode")), "auto");
}

TEST(Property, RealizedDevicesRefuseChanges) {
  const auto sample = create<Sample>();
  ASSERT_TRUE(sample->set_realized(true));
  EXPECT_EQ(sample->set("small", "3").error().message(),
            "Property 'test-sample.small' cannot be changed once the device is realized");
}

TEST(Tree, PathsAndLookUp) {
  Machine machine;
  auto& sample = machine.container("/samples").add_child("one", create<Sample>());
  EXPECT_EQ(sample.path(), "/samples/one");
  EXPECT_EQ(machine.resolve("/samples/one"), &sample);
  EXPECT_EQ(machine.resolve("/samples/two"), nullptr);
  EXPECT_EQ(&sample.machine(), &machine);
}

TEST(Tree, LinksResolveByIdAndPath) {
  Machine machine;
  auto& one = machine.container("/samples").add_child("one", create<Sample>());
  auto& two = machine.container("/samples").add_child("two", create<Sample>());
  ASSERT_TRUE(one.set("peer", "two"));
  EXPECT_EQ(one.peer, &two);
  ASSERT_TRUE(two.set("peer", "/samples/one"));
  EXPECT_EQ(two.peer, &one);
  EXPECT_EQ(one.set("peer", "three").error().message(),
            "Property 'test-sample.peer': 'three' not found");
  EXPECT_EQ(std::get<std::string>(*one.get("peer")), "/samples/two");
}

TEST(Machines, TwoLiveInOneProcess) {
  Machine a;
  Machine b;
  a.container("/samples").add_child("x", create<Sample>());
  EXPECT_NE(a.resolve("/samples/x"), nullptr);
  EXPECT_EQ(b.resolve("/samples/x"), nullptr);
}

TEST(Pins, InputsOfAllGroupsAreListed) {
  Sample sample;
  const std::vector<Irq> inputs = sample.gpio_inputs();
  ASSERT_EQ(inputs.size(), 3u);
  inputs[0].set(true);
  inputs[2].set(false);
  EXPECT_EQ(sample.pins, (std::vector<std::pair<unsigned, bool>>{{0, true}, {1, false}}));
}

class StateTest : public ::testing::Test {
 protected:
  static std::vector<u8> set_by_reset(const Sample& sample) {
    StateWriter out(StateWriter::Fields::SetByReset);
    sample.type().state.save(static_cast<const Object*>(&sample), out);
    return out.take();
  }
  Sample& fill(Machine& machine) {
    auto& sample = machine.container("/samples").add_child("s", create<Sample>());
    sample.inner = {.a = 0x1234, .b = {1, 2, 3, 4}};
    sample.fifo = {9, 8, 7};
    sample.counter = 99;
    return sample;
  }
  std::vector<u8> saved(Sample& sample) {
    StateWriter out;
    save_object(sample, out);
    return out.take();
  }
};

TEST_F(StateTest, RoundTripIsByteIdentical) {
  Machine a, b;
  const auto stream = saved(fill(a));
  auto& copy = b.container("/samples").add_child("s", create<Sample>());
  StateReader in(stream);
  ASSERT_TRUE(load_object(copy, in));
  EXPECT_EQ(copy.inner.a, 0x1234);
  EXPECT_EQ(copy.fifo, (std::vector<u8>{9, 8, 7}));
  EXPECT_TRUE(copy.loaded);
  EXPECT_EQ(saved(copy), stream);
}

TEST_F(StateTest, ASubsectionIsSavedOnlyWhenNeeded) {
  Machine a, b;
  auto& sample = fill(a);
  const auto without = saved(sample);
  sample.rare = 7;
  const auto with = saved(sample);
  EXPECT_GT(with.size(), without.size());
  auto& copy = b.container("/samples").add_child("s", create<Sample>());
  StateReader in(with);
  ASSERT_TRUE(load_object(copy, in));
  EXPECT_EQ(copy.rare, 7);
  StateReader again(without);
  EXPECT_TRUE(load_object(copy, again));
}

TEST_F(StateTest, WhatSurvivesAResetCanBeLeftOutOfStructsToo) {
  Machine machine;
  auto& sample = fill(machine);
  const auto before = set_by_reset(sample);
  const auto all = saved(sample);
  sample.counter = 7;
  sample.inner.b = {7, 7, 7, 7};
  EXPECT_EQ(set_by_reset(sample), before);
  EXPECT_NE(saved(sample), all);
}

TEST_F(StateTest, WhatAResetSetsStaysInStructsToo) {
  Machine machine;
  auto& sample = fill(machine);
  const auto before = set_by_reset(sample);
  sample.inner.a = 7;
  EXPECT_NE(set_by_reset(sample), before);
}

TEST_F(StateTest, EveryTruncationIsRefused) {
  Machine a;
  auto& sample = fill(a);
  const auto stream = saved(sample);
  for (std::size_t length = 0; length < stream.size(); ++length) {
    StateReader in{std::span<const u8>{stream}.first(length)};
    EXPECT_FALSE(load_object(sample, in)) << length;
  }
}

TEST_F(StateTest, EveryFlippedByteIsRefused) {
  Machine a;
  auto& sample = fill(a);
  const auto stream = saved(sample);
  for (std::size_t at = 0; at < stream.size(); ++at) {
    auto bad = stream;
    bad[at] ^= 0x40;
    StateReader in(bad);
    EXPECT_FALSE(load_object(sample, in)) << at;
  }
}

TEST_F(StateTest, NumbersOutOfRangeAreRefused) {
  Machine a, b;
  auto& sample = fill(a);
  sample.counter = 1001;
  const auto stream = saved(sample);
  auto& copy = b.container("/samples").add_child("s", create<Sample>());
  StateReader in(stream);
  EXPECT_EQ(load_object(copy, in).error().message(),
            "/samples/s: state field 'counter' is out of range: 1001");
}

}  // namespace
}  // namespace rhea
