// SPDX-License-Identifier: GPL-2.0-or-later
// The life of every device type: plugged in, refused, unplugged, plugged in again.
#include "rhea/block/block_backend.h"
#include "tests/conformance/conformance.h"

#include <limits>

namespace rhea::test {
namespace {

// What a device can leave behind in a machine.
std::string traces_of_devices(Machine& machine) {
  std::string traces = machine.map().flat_text();
  for (const auto& child : machine.container("/chardevs").children())
    if (static_cast<Chardev&>(*child).attached()) traces += child->name() + " is attached\n";
  for (BlockBackend* drive : drives(machine))
    if (drive->device() != nullptr) traces += drive->name() + " is in a device\n";
  const auto look_at = [&traces](std::string_view name, const Clock& clock) {
    if (clock.next_expiry_ns() >= 0) traces += fmt::format("a timer of the {} is armed\n", name);
  };
  look_at("virtual clock", machine.virtual_clock());
  look_at("host's clock", machine.host_clock());
  look_at("host's time", machine.realtime_clock());
  return traces;
}

TEST_P(Conformance, UnplugLeavesNothing) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  Bench& bench = specimen.bench();
  Machine& machine = bench.machine();
  Fuzzer(specimen, 12).run(access_count(3000));
  Fuzzer(specimen, 13, {.moves_time = false, .finishes = false}).run(200);
  Watch watch(type().name, hang_seconds());
  watch.begin({.what = Happening::What::Unplug});
  ASSERT_TRUE(machine.unplug(*specimen.device()));
  for (const auto& child : machine.container("/chardevs").children())
    EXPECT_FALSE(static_cast<Chardev&>(*child).attached()) << child->name();
  for (BlockBackend* drive : drives(machine)) EXPECT_EQ(drive->device(), nullptr) << drive->name();
  // What the machine holds back for its monitors.
  machine.realtime_clock().advance_to(machine.realtime_clock().now_ns() + 10 * kNsPerSecond);
  // A drive's controller stays, with its line.
  if (is_alone()) {
    EXPECT_EQ(specimen.lines(), "") << "lines that are high without a device";
    EXPECT_EQ(traces_of_devices(machine), specimen.empty_map());
  }
  const auto memory = bench.read(0, 1 * MiB);
  for (unsigned n = 0; n < 4; ++n) machine.loop().iterate(false);
  bench.advance(kNsPerSecond);
  bench.reset(ResetKind::Cold);
  EXPECT_TRUE(bench.read(0, 1 * MiB) == memory) << "it wrote to memory after it was unplugged";
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
  if (is_alone()) {
    EXPECT_EQ(without, specimen.empty_map());
  }
}

TEST_P(Conformance, CanBeRealizedAgain) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  Machine& machine = specimen.bench().machine();
  Device& device = *specimen.device();
  const std::string map = machine.map().flat_text();
  const auto state = specimen.save();
  Fuzzer(specimen, 9).run(300);
  ASSERT_TRUE(device.set_realized(false));
  const auto again = device.set_realized(true);
  ASSERT_TRUE(again) << again.error().message();
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_EQ(machine.map().flat_text(), map);
  EXPECT_EQ(specimen.save().size(), state.size());
  Fuzzer(specimen, 10).run(300);
}

// Numbers that somebody may not have thought of.
std::vector<std::string> odd_values(const Property& property) {
  if (property.type.starts_with("link<chardev>")) return {"taken"};
  if (property.type.find("int") == std::string::npos && property.type != "size") return {};
  std::vector<std::string> values = {"0", "1", "3", "5", "7", "24", "100", "4097", "65535"};
  if (property.range.max != std::numeric_limits<u64>::max())
    values.push_back(std::to_string(property.range.max));
  if (property.range.min > 0) values.push_back(std::to_string(property.range.min));
  return values;
}

// A device that cannot be, for a value it does not take or a back end that another has, is as if it
// had never been asked for.
TEST_P(Conformance, ARefusedOneLeavesNothing) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  if (!is_alone() || specimen.is_elsewhere()) return;
  Bench& bench = specimen.bench();
  Machine& machine = bench.machine();
  ASSERT_TRUE(machine.unplug(*specimen.device()));
  machine.loop().iterate(false);
  ASSERT_TRUE(FakeChardev::make(bench, "taken").attach({}));
  const std::string before = traces_of_devices(machine);
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties)
      for (const std::string& value : odd_values(p)) {
        Properties properties = specimen.links();
        std::erase_if(properties, [&](const auto& pair) { return pair.first == p.name; });
        properties.emplace_back(p.name, value);
        const auto added = bench.try_add(type().name, properties);
        if (added) {
          ASSERT_TRUE(machine.unplug(**added));
        }
        machine.loop().iterate(false);
        ASSERT_EQ(traces_of_devices(machine), before)
            << "after " << p.name << "=" << value << ", "
            << (added ? std::string("which it took") : "refused: " + added.error().message());
      }
}

}  // namespace
}  // namespace rhea::test
