// SPDX-License-Identifier: GPL-2.0-or-later
// Members that end with their device, and know whose they are.
#include "rhea/qom/registry.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/machine.h"
#include "rhea/softmmu/snapshot.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace rhea::test {
namespace {

/// Has a timer that it forgets to initialise, and an output.
class Forgetful final : public Device {
 public:
  static constexpr std::string_view kName = "test-forgetful";
  static void describe(Schema<Forgetful>& s) {
    s.help("forgets");
    s.state("line", &Forgetful::line);
    s.state("ring", &Forgetful::ring);
  }
  Forgetful() { init_gpio_out("", line); }
  Result<> post_load(unsigned) override {
    level_at_post_load = heard.empty() ? std::string("silent") : heard.back();
    return {};
  }

  Timer timer;
  Deferred later;
  IrqOutput line;
  u8 ring{};
  std::vector<std::string> heard;
  std::string level_at_post_load;
  void hear(unsigned, bool level) { heard.emplace_back(level ? "high" : "low"); }
};
const RegisterType<Forgetful> forgetful_registration;

Forgetful& add_forgetful(Machine& machine) {
  return static_cast<Forgetful&>(**machine.add_device(create<Forgetful>(), nullptr, "forgetful"));
}

TEST(MembersDeathTest, ATimerUsedBeforeItsInitSaysWhoseItIs) {
  Machine machine;
  Forgetful& device = add_forgetful(machine);
  EXPECT_DEATH(device.timer.arm_in(1),
               "/machine/forgetful: a Timer is used before its init\\(\\), which belongs into "
               "realize\\(\\)");
}

TEST(MembersDeathTest, ADeferredUsedBeforeItsInitSaysWhoseItIs) {
  const auto device = create<Forgetful>();
  EXPECT_DEATH(device->later.schedule(), "test-forgetful: a Deferred is used before its init");
}

TEST(MembersDeathTest, ATimerOfNobodyIsSaidToBeNobodys) {
  Timer timer;
  EXPECT_DEATH(timer.arm(1), "outside of any device: a Timer is used before its init");
}

TEST(Members, ADelayBeyondTheEndOfTimeIsTheEndOfTime) {
  Machine machine;
  machine.virtual_clock().set_manual(1000);
  Timer timer;
  timer.init(machine.virtual_clock(), [] {});
  timer.arm_in(std::numeric_limits<i64>::max());
  EXPECT_EQ(timer.expiry_ns(), std::numeric_limits<i64>::max());
  timer.arm_in(std::numeric_limits<i64>::min());
  EXPECT_EQ(timer.expiry_ns(), 0);
}

TEST(Members, TheLoopWaitsForTheEndOfTimeWithoutSpinning) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  bool expired = false;
  Timer timer;
  timer.init(machine.realtime_clock(), [&] { expired = true; });
  timer.arm_in(std::numeric_limits<i64>::max());
  machine.loop().iterate(false);
  EXPECT_FALSE(expired);
}

TEST(Members, EndWhenTheirDeviceIsUnrealized) {
  Machine machine;
  machine.virtual_clock().set_manual(0);
  Forgetful& device = add_forgetful(machine);
  unsigned calls = 0;
  device.timer.init(machine.virtual_clock(), [&] { ++calls; });
  device.later.init(machine.loop(), [&] { ++calls; });
  device.timer.arm_in(10);
  device.later.schedule();
  device.line.raise();
  ASSERT_TRUE(device.set_realized(false));
  machine.virtual_clock().advance_to(1000);
  machine.loop().iterate(false);
  EXPECT_EQ(calls, 0u);
  EXPECT_FALSE(device.line.level());
}

TEST(Members, OfAnotherDeviceGoOn) {
  Machine machine;
  machine.virtual_clock().set_manual(0);
  Forgetful& device = add_forgetful(machine);
  auto& part = static_cast<Forgetful&>(device.add_child("part", create<Forgetful>()));
  unsigned calls = 0;
  part.timer.init(machine.virtual_clock(), [&] { ++calls; });
  part.timer.arm_in(10);
  ASSERT_TRUE(device.set_realized(false));
  machine.virtual_clock().advance_to(1000);
  EXPECT_EQ(calls, 1u);
}

TEST(Members, ThatOutliveTheirDeviceAreNobodys) {
  struct Keeper final : Device {
    std::unique_ptr<Timer> timer = std::make_unique<Timer>();
  };
  std::unique_ptr<Timer> kept;
  {
    const detail::Construction construction(*find_type("test-forgetful"));
    Keeper keeper;
    kept = std::move(keeper.timer);
  }
  EXPECT_DEATH(kept->arm(1), "outside of any device");
}

TEST(Members, ALoadedLineTellsItsReceiverBeforeAnyPostLoad) {
  Machine machine;
  Forgetful& device = add_forgetful(machine);
  device.line.connect(Irq::to<&Forgetful::hear>(device, 0));
  device.line.raise();
  const auto saved = save_machine(machine);
  device.line.lower();
  device.heard.clear();
  ASSERT_TRUE(load_machine(machine, saved));
  EXPECT_TRUE(device.line.level());
  EXPECT_EQ(device.heard, std::vector<std::string>{"high"});
  EXPECT_EQ(device.level_at_post_load, "high");
}

TEST(Members, ALineIsRepeatedWhereItsLevelIsTheSame) {
  Machine machine;
  Forgetful& device = add_forgetful(machine);
  device.line.connect(Irq::to<&Forgetful::hear>(device, 0));
  device.line.raise();
  device.heard.clear();
  ASSERT_TRUE(load_machine(machine, save_machine(machine)));
  EXPECT_EQ(device.heard, std::vector<std::string>{"high"});
}

TEST(Members, AnObserverEndsWithItsDevice) {
  Machine machine;
  Forgetful& device = add_forgetful(machine);
  unsigned calls = 0;
  machine.on_run_state([&](RunState) { ++calls; }, &device);
  machine.resume();
  EXPECT_EQ(calls, 1u);
  ASSERT_TRUE(device.set_realized(false));
  machine.pause();
  EXPECT_EQ(calls, 1u);
}

TEST(Members, AnObserverMayEndItselfWhileItIsTold) {
  Machine machine;
  Forgetful& device = add_forgetful(machine);
  std::vector<std::string> calls;
  machine.on_run_state(
      [&](RunState) {
        calls.emplace_back("first");
        EXPECT_TRUE(machine.unplug(device));
      },
      &device);
  machine.on_run_state([&](RunState) { calls.emplace_back("of the same device"); }, &device);
  machine.on_run_state([&](RunState) { calls.emplace_back("of nobody"); });
  machine.resume();
  EXPECT_EQ(calls, (std::vector<std::string>{"first", "of nobody"}));
}

}  // namespace
}  // namespace rhea::test
