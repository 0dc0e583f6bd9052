// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that unplug themselves, and whatever would call them afterwards.
#include "rhea/block/block_backend.h"
#include "rhea/chardev/chardev_port.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/deferred.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rhea::test {
namespace {

/// What the device did, which it may not outlive, and where it unplugs itself.
struct Deeds {
  std::vector<std::string> heard;
  std::string unplug_in;
};
Deeds* deeds;

class Leaver final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "test-leaver";
  static void describe(Schema<Leaver>& s) {
    s.help("unplugs itself");
    s.link("chardev", &Leaver::chardev_);
    s.link("drive", &Leaver::drive_);
  }

  Result<> realize() override {
    timer_.init(machine().virtual_clock(), [this] { hear("timer"); });
    later_.init(machine().loop(), [this] { hear("deferred"); });
    ports_.init_io(*this, "leaver", 4, io<&Leaver::read, &Leaver::write>());
    add_port(0x500, ports_);
    if (drive_ != nullptr) TRY(take_drive(drive_, *this, DriveUse::Read));
    return chardev_.attach({.can_receive = [] { return std::size_t{16}; },
                            .receive = [this](std::span<const u8>) { hear("chardev"); },
                            .event = {},
                            .can_send = {}});
  }

  void use_all() {
    later_.schedule();
    timer_.arm_in(1000);
    auto buffer = std::make_shared<std::vector<u8>>(512);
    if (drive_ != nullptr)
      drive_->read(0, *buffer, [this, buffer](const Result<>&) { hear("read"); });
  }

 private:
  void hear(const std::string& what) {
    if (deeds->unplug_in == what) {
      EXPECT_TRUE(machine().unplug(*this));
    }
    ++count_;  // the sanitizer looks whether this is still there
    deeds->heard.push_back(what);
  }
  u64 read(u64, unsigned) { return count_; }
  void write(u64, u64, unsigned) { hear("write"); }

  ChardevPort chardev_;
  BlockBackend* drive_{};
  Timer timer_;
  Deferred later_;
  Region ports_;
  u32 count_{};
};
const RegisterType<Leaver> leaver_registration;

class DeviceLife : public testing::Test {
 protected:
  DeviceLife() {
    deeds = &deeds_;
    chardev_ = &FakeChardev::make(bench_, "fake0");
    make_fake_disk(bench_, "disk0", 4096);
    auto plugged = bench_.machine().plug(
        Leaver::kName, {{"chardev", std::string("fake0")}, {"drive", std::string("disk0")}}, "x");
    device_ = static_cast<Leaver*>(*plugged);
  }
  /// Everything that could call the device.
  void stir() {
    chardev_->say("x");
    bench_.advance(1'000'000);
    for (int i = 0; i < 20; ++i) bench_.machine().loop().iterate(false);
    bench_.outb(0x500, 1);
  }

  Deeds deeds_;
  Bench bench_;
  FakeChardev* chardev_;
  Leaver* device_;
};

TEST_F(DeviceLife, NobodyCallsADeviceThatIsUnplugged) {
  device_->use_all();
  ASSERT_TRUE(bench_.machine().unplug(*device_));
  EXPECT_EQ(bench_.machine().resolve("/machine/peripheral/x"), nullptr);
  stir();
  EXPECT_TRUE(deeds_.heard.empty());
}

TEST_F(DeviceLife, ADeviceMayUnplugItselfInAHandler) {
  deeds_.unplug_in = "write";
  bench_.outb(0x500, 1);
  stir();
  EXPECT_EQ(deeds_.heard, std::vector<std::string>{"write"});
}

TEST_F(DeviceLife, ADeviceMayUnplugItselfInATimer) {
  deeds_.unplug_in = "timer";
  device_->use_all();
  bench_.advance(1'000'000);
  stir();
  EXPECT_EQ(deeds_.heard, std::vector<std::string>{"timer"});
}

TEST_F(DeviceLife, ADeviceMayUnplugItselfWhenItsChardevSpeaks) {
  deeds_.unplug_in = "chardev";
  chardev_->say("x");
  stir();
  EXPECT_EQ(deeds_.heard, std::vector<std::string>{"chardev"});
}

TEST_F(DeviceLife, ATimerMayBeInitialisedAnewByItsOwnCallback) {
  Timer timer;
  std::size_t seen = 0;
  const std::string text(100, 'x');
  timer.init(bench_.machine().virtual_clock(), [&, text] {
    timer.init(bench_.machine().virtual_clock(), [] {});
    seen = text.size();  // what the callback holds is still there
  });
  timer.arm_in(1);
  bench_.advance(100);
  EXPECT_EQ(seen, 100u);
}

/// A BAR as large as the user says.
class Sized final : public PciDevice {
 public:
  static constexpr std::string_view kName = "test-sized";
  static constexpr PciIdentity kPci{.vendor = 1, .device = 2, .klass = 0xff0000};
  static void describe(Schema<Sized>& s) {
    s.help("a BAR as large as the user says");
    s.property("ram-size", &Sized::size_, u64{4096});
  }
  Result<> realize() override {
    TRY(PciDevice::realize());
    ram_.init_container(this, "sized", size_);
    return bar(0, ram_);
  }

 private:
  u64 size_{};
  Region ram_;
};
const RegisterType<Sized> sized_registration;

TEST(BarSize, AnImpossibleOneIsAnErrorThatNamesTheProperty) {
  Bench bench;
  const auto refused = bench.try_add("test-sized", {{"ram-size", "5000"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "Property 'test-sized.ram-size': BAR 0 cannot have 5000 bytes (a power of two from 16 "
            "to 2147483648)");
  EXPECT_TRUE(bench.try_add("test-sized", {{"ram-size", "8192"}}));
}

}  // namespace
}  // namespace rhea::test
