// SPDX-License-Identifier: GPL-2.0-or-later
// A virtio console device on a bench, the driver of its queues, and what stands behind its ports.
#pragma once

#include "hw/virtio/virtio_serial.h"
#include "rhea/softmmu/tool_events.h"
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace rhea::test {

/// What stands on the control queue: port, event, value, and the text behind.
struct ToldOfPort {
  u32 port{};
  hw::virtio_serial::Event event{};
  u16 value{};
  std::string text{};
  friend bool operator==(const ToldOfPort&, const ToldOfPort&) = default;
};

class VirtioSerialTest : public testing::Test {
 protected:
  using Event = hw::virtio_serial::Event;
  static constexpr u64 kManyPorts = kVersion1 | hw::virtio::bit(hw::virtio_serial::kMultiport);
  static constexpr u64 kTold = 0x20'0000, kSaid = 0x28'0000, kIn = 0x30'0000, kOut = 0x40'0000;
  static constexpr u32 kToldBytes = 64, kInBytes = 16;

  VirtioSerialTest() {
    bench.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          news.push_back(name + " " + to_text(data[0].second) + " " + to_text(data[1].second));
        });
  }
  void use(const Properties& properties = {}) {
    driver.emplace(bench, "virtio-serial-pci", properties);
  }
  /// The driver comes up, with buffers to be told things in, and says that it is ready.
  void begin(u64 features = kManyPorts) {
    ASSERT_TRUE(driver->negotiate(features));
    packed = (features & kPacked) != 0;
    control_in = queue(2, 0x4'0000);
    control_out = queue(3, 0x5'0000);
    driver->drive();
    offered = looked_at = 0;
    for (unsigned n = 0; n < 16; ++n) offer_control();
    driver->notify(2);
    if ((features & kManyPorts & ~kVersion1) != 0) say(~u32{0}, Event::DeviceReady, 1);
  }
  void offer_control() {
    control_in->add({{kTold + u64{kToldBytes} * (offered++ % 16), kToldBytes, true}});
  }
  std::unique_ptr<RingDriver> queue(u16 number, u64 at) {
    const RingPlace place{
        .descriptors = at, .driver = at + 0x4000, .device = at + 0x8000, .entries = 32};
    driver->enable_queue(number, place);
    if (packed) return std::make_unique<PackedDriver>(bench.machine().memory(), place);
    return std::make_unique<SplitDriver>(bench.machine().memory(), place);
  }
  /// Rings of a port, and what it says when it has them.
  void use_port(u32 port) {
    const u16 number = hw::virtio_serial::in_queue(port);
    in[port] = queue(number, 0x6'0000 + 0x2'0000 * u64{port});
    out[port] = queue(static_cast<u16>(number + 1), 0x7'0000 + 0x2'0000 * u64{port});
    say(port, Event::PortReady, 1);
  }
  void open_port(u32 port) {
    use_port(port);
    say(port, Event::PortOpen, 1);
    turn();
    all_told();
  }
  void say(u32 port, Event event, u16 value) {
    bench.store(kSaid, port, 4);
    bench.store(kSaid + 4, static_cast<u16>(event), 2);
    bench.store(kSaid + 6, value, 2);
    control_out->add({{kSaid, 8}});
    driver->notify(3);
    control_out->take_used();
  }
  /// What the driver has been told since it was last asked.
  std::vector<ToldOfPort> all_told() {
    std::vector<ToldOfPort> all;
    while (const auto used = control_in->take_used()) {
      const u64 at = kTold + u64{kToldBytes} * (looked_at++ % 16);
      const auto bytes = bench.read(at + 8, used->written - 8);
      all.push_back({.port = static_cast<u32>(bench.load(at, 4)),
                     .event = static_cast<Event>(bench.load(at + 4, 2)),
                     .value = static_cast<u16>(bench.load(at + 6, 2)),
                     .text = std::string(bytes.begin(), bytes.end())});
      offer_control();
    }
    driver->notify(2);
    return all;
  }
  u16 send(u32 port, std::string_view text) {
    bench.write(kOut, {reinterpret_cast<const u8*>(text.data()), text.size()});
    const u16 id = out[port]->add({{kOut, static_cast<u32>(text.size())}});
    driver->notify(hw::virtio_serial::out_queue(port));
    return id;
  }
  /// A buffer for what comes, and what came in it.
  void offer(u32 port) {
    in[port]->add({{kIn, kInBytes, true}});
    driver->notify(hw::virtio_serial::in_queue(port));
    turn();
  }
  std::string received(u32 port) {
    const auto used = in[port]->take_used();
    if (!used) return "nothing";
    const auto bytes = bench.read(kIn, used->written);
    return {bytes.begin(), bytes.end()};
  }
  Device& plug(std::string_view type, const Properties& properties, std::string_view id = {}) {
    Device& device = bench.add(type, properties);
    device.set_id(std::string(id));
    return device;
  }
  void turn() { bench.machine().loop().iterate(false); }

  Bench bench;
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> control_in, control_out;
  std::map<u32, std::unique_ptr<RingDriver>> in, out;
  bool packed{false};
  unsigned offered{0}, looked_at{0};
  std::vector<std::string> news;
};

}  // namespace rhea::test
