// SPDX-License-Identifier: GPL-2.0-or-later
// A virtio network card on a bench, the driver of its queues, and the other side of its back end.
#pragma once

#include "hw/virtio/net_layout.h"
#include "tests/support/net_peer.h"
#include "tests/virtio/pci_driver.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace rhea::test {

namespace net_bits = hw::virtio_net;

inline constexpr unsigned kAckFine = 0, kAckBad = 1;
inline constexpr u8 kRx = 0, kMacs = 1, kVlans = 2, kPairs = 4, kGuestOffload = 5;

/// Adds big-endian numbers to a frame.
inline void put_word(FrameBytes& bytes, unsigned value) {
  bytes.push_back(static_cast<u8>(value >> 8));
  bytes.push_back(static_cast<u8>(value));
}

/// What a driver says of a frame, in the header before it.
struct SaidOfFrame {
  u8 flags{}, gso{};
  u16 header_bytes{}, segment{}, sum_start{}, sum_offset{};
};

class VirtioNetTest : public testing::Test {
 protected:
  using Header = SaidOfFrame;
  static constexpr u64 kUsual = kVersion1 | hw::virtio::bit(net_bits::kMac) |
                                hw::virtio::bit(net_bits::kStatus) |
                                hw::virtio::bit(net_bits::kMergeable);
  static constexpr u64 kCommands =
      hw::virtio::bit(net_bits::kControl) | hw::virtio::bit(net_bits::kControlRx) |
      hw::virtio::bit(net_bits::kControlRxExtra) | hw::virtio::bit(net_bits::kControlVlan) |
      hw::virtio::bit(net_bits::kControlMac);
  static constexpr u64 kBuffers = 0x20'0000, kOut = 0x30'0000, kCommand = 0x38'0000;
  static constexpr u32 kBufferBytes = 2048;

  void use(Properties more = {}, u64 features = kUsual, std::string_view type = "virtio-net-pci") {
    more.emplace_back("netdev", "net0");
    more.emplace_back("mac", "52:54:00:12:34:56");
    driver.emplace(bench, type, more);
    begin(features);
    bench.machine().resume();
  }
  void begin(u64 features) {
    accepted = driver->negotiate(features);
    header = (features & (kVersion1 | hw::virtio::bit(net_bits::kMergeable))) != 0 ? 12 : 10;
    receiving = queue(0, 0x4'0000, (features & kPacked) != 0);
    sending = queue(1, 0x6'0000, (features & kPacked) != 0);
    if ((features & hw::virtio::bit(net_bits::kControl)) != 0)
      commanding = queue(control, 0x8'0000, (features & kPacked) != 0);
    driver->drive();
  }
  std::unique_ptr<RingDriver> queue(u16 number, u64 at, bool packed) {
    const RingPlace place{
        .descriptors = at, .driver = at + 0x8000, .device = at + 0xc000, .entries = 256};
    driver->enable_queue(number, place);
    if (packed) return std::make_unique<PackedDriver>(bench.machine().memory(), place);
    return std::make_unique<SplitDriver>(bench.machine().memory(), place);
  }

  /// Buffers for frames, one behind another.
  void offer(unsigned count, u32 bytes = kBufferBytes) {
    for (unsigned n = 0; n < count; ++n)
      receiving->add({{kBuffers + u64{kBufferBytes} * (offered++ % 256), bytes, true}});
    driver->notify(0);
  }
  /// The next used buffer of those.
  std::optional<UsedBuffer> received() {
    std::optional<UsedBuffer> used;
    bench.run_until([&] { return used || (used = receiving->take_used()); });
    return used;
  }
  /// What came: the next frame without its header, in one buffer.
  std::optional<FrameBytes> receive() {
    const auto used = received();
    if (!used) return std::nullopt;
    at_buffer = kBuffers + u64{kBufferBytes} * (taken++ % 256);
    FrameBytes all = bench.read(at_buffer, used->written);
    all.erase(all.begin(), all.begin() + header);
    return all;
  }
  /// Has the guest send a frame, with what is said of it.
  u16 send(const FrameBytes& frame, const Header& said = {}) {
    bench.write(kOut, std::vector<u8>(12, 0));
    bench.store(kOut, said.flags, 1);
    bench.store(kOut + 1, said.gso, 1);
    bench.store(kOut + 2, said.header_bytes, 2);
    bench.store(kOut + 4, said.segment, 2);
    bench.store(kOut + 6, said.sum_start, 2);
    bench.store(kOut + 8, said.sum_offset, 2);
    bench.write(kOut + 0x100, frame);
    const u16 id = sending->add(
        {{kOut, static_cast<u32>(header)}, {kOut + 0x100, static_cast<u32>(frame.size())}});
    driver->notify(1);
    return id;
  }
  /// The answer to a command.
  unsigned command(u8 kind, u8 what, const std::vector<u8>& argument) {
    bench.store(kCommand, kind, 1);
    bench.store(kCommand + 1, what, 1);
    bench.write(kCommand + 2, argument);
    bench.store(kCommand + 0x1000, 0xee, 1);
    commanding->add(
        {{kCommand, static_cast<u32>(2 + argument.size())}, {kCommand + 0x1000, 1, true}});
    driver->notify(control);
    return commanding->take_used() ? static_cast<unsigned>(bench.load(kCommand + 0x1000, 1)) : 99;
  }
  u64 config(u64 at, unsigned size) { return driver->modern(0x2000 + at, size); }

  /// A frame for an address, with so many bytes of data.
  static FrameBytes frame_to(const std::vector<u8>& address, std::size_t data = 46) {
    FrameBytes frame = address;
    frame.insert(frame.end(), {0x52, 0x55, 0, 0, 0, 1, 0x88, 0xb5});
    for (std::size_t n = 0; n < data; ++n) frame.push_back(static_cast<u8>(n));
    return frame;
  }
  static FrameBytes frame_to_it(std::size_t data = 46) {
    return frame_to({0x52, 0x54, 0, 0x12, 0x34, 0x56}, data);
  }

  Bench bench;
  NetPeer peer{bench.machine(), "net0"};
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> receiving, sending, commanding;
  bool accepted{false};
  int header{12};
  u16 control{2};  ///< the queue of commands
  unsigned offered{0}, taken{0};
  u64 at_buffer{};
};

}  // namespace rhea::test
