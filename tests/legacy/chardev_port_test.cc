// SPDX-License-Identifier: GPL-2.0-or-later
// A device's end of a chardev.
#include "rhea/chardev/chardev_port.h"

#include "chardev/backend.h"
#include "chardev/mux.h"
#include "rhea/hw/isa.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <array>

namespace rhea::test {
namespace {

class PortOwner final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "test-port-owner";
  static void describe(Schema<PortOwner>& s) {
    s.help("has a chardev port");
    s.link("chardev", &PortOwner::port);
  }
  Result<> realize() override {
    return port.attach({.can_receive = [] { return std::size_t{16}; },
                        .receive = [this](std::span<const u8> data) { heard += data.size(); },
                        .event = {},
                        .can_send = {},
                        .moved = [this](Chardev& next) { moved_to = &next; }});
  }

  ChardevPort port;
  std::size_t heard{};
  Chardev* moved_to{};
};
const RegisterType<PortOwner> port_owner_registration;

constexpr std::array<u8, 2> kHi = {'h', 'i'};

class ChardevPorts : public testing::Test {
 protected:
  Bench bench_;
  FakeChardev* chardev_{&FakeChardev::make(bench_, "fake0")};
};

TEST_F(ChardevPorts, ThatLeadNowhereTakeAllAndHaveNoModem) {
  auto& device = static_cast<PortOwner&>(bench_.add("test-port-owner"));
  EXPECT_FALSE(device.port);
  EXPECT_EQ(device.port.write(kHi), 2u);
  EXPECT_FALSE(device.port.modem_lines());
  device.port.accept_input();
  device.port.set_break(true);
  EXPECT_EQ(to_text(*device.get("chardev")), "");
}

TEST_F(ChardevPorts, AreTheProperty) {
  auto& device = static_cast<PortOwner&>(bench_.add("test-port-owner", {{"chardev", "fake0"}}));
  EXPECT_EQ(to_text(*device.get("chardev")), "/chardevs/fake0");
  EXPECT_EQ(device.port.write(kHi), 2u);
  EXPECT_EQ(chardev_->written, "hi");
  EXPECT_EQ(chardev_->say("abc"), 3u);
  EXPECT_EQ(device.heard, 3u);
}

TEST_F(ChardevPorts, OfTwoDevicesCannotShareOneBackEnd) {
  bench_.add("test-port-owner", {{"chardev", "fake0"}});
  const auto refused = bench_.try_add("test-port-owner", {{"chardev", "fake0"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "chardev 'fake0' is already in use");
  EXPECT_TRUE(chardev_->attached());
}

TEST_F(ChardevPorts, LetGoWhenTheirDeviceIsUnplugged) {
  Device& device = bench_.add("test-port-owner", {{"chardev", "fake0"}});
  ASSERT_TRUE(bench_.machine().unplug(device));
  EXPECT_FALSE(chardev_->attached());
  EXPECT_EQ(chardev_->say("abc"), 0u);
}

TEST_F(ChardevPorts, OutliveTheirBackEnd) {
  auto& device = static_cast<PortOwner&>(bench_.add("test-port-owner", {{"chardev", "fake0"}}));
  bench_.machine().container("/chardevs").remove_child(*chardev_);
  EXPECT_FALSE(device.port);
  EXPECT_EQ(device.port.write(kHi), 2u);
  EXPECT_TRUE(bench_.machine().unplug(device));
}

TEST_F(ChardevPorts, FollowAChange) {
  auto& device = static_cast<PortOwner&>(bench_.add("test-port-owner", {{"chardev", "fake0"}}));
  KeyValues ring = *KeyValues::parse("ringbuf", "backend");
  const auto next = chardev::change_chardev(bench_.machine(), "fake0", std::move(ring));
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(device.moved_to, *next);
  EXPECT_EQ(device.port.target(), *next);
  EXPECT_TRUE((*next)->attached());
  bench_.machine().loop().iterate(false);
  EXPECT_EQ(device.port.write(kHi), 2u);
  ASSERT_TRUE(bench_.machine().unplug(device));
  EXPECT_FALSE((*next)->attached());
}

TEST_F(ChardevPorts, MayShareAMux) {
  auto& mux = **chardev::open_mux(bench_.machine(), "mux0", "fake0");
  Device& first = bench_.add("test-port-owner", {{"chardev", "mux0"}});
  bench_.add("test-port-owner", {{"chardev", "mux0"}});
  ASSERT_TRUE(bench_.machine().unplug(first));
  EXPECT_TRUE(mux.attached());
  EXPECT_EQ(chardev_->say("abc"), 3u);
}

}  // namespace
}  // namespace rhea::test
