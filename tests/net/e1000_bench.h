// SPDX-License-Identifier: GPL-2.0-or-later
// A machine with an e1000 in slot 3, its rings in memory, and a peer at the other end.
#pragma once

#include "hw/net/e1000_registers.h"
#include "tests/net/frames.h"
#include "tests/support/bench.h"
#include "tests/support/net_peer.h"

#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace rhea::test {

/// Offsets of registers.
namespace e1000_reg {
inline constexpr u64 kCtrl = 0x0, kStatus = 0x8, kEecd = 0x10, kEerd = 0x14, kMdic = 0x20,
                     kFcal = 0x28, kFcah = 0x2c, kFct = 0x30, kVet = 0x38, kIcr = 0xc0, kItr = 0xc4,
                     kIcs = 0xc8, kIms = 0xd0, kImc = 0xd8, kRctl = 0x100, kTctl = 0x400,
                     kPba = 0x1000, kRdbal = 0x2800, kRdlen = 0x2808, kRdh = 0x2810, kRdt = 0x2818,
                     kRdtr = 0x2820, kRadv = 0x282c, kTdbal = 0x3800, kTdlen = 0x3808,
                     kTdh = 0x3810, kTdt = 0x3818, kTidv = 0x3820, kTadv = 0x382c,
                     kStatistics = 0x4000, kRxcsum = 0x5000, kMta = 0x5200, kRal = 0x5400,
                     kRah = 0x5404, kVfta = 0x5600;
}  // namespace e1000_reg

struct SendWords {
  u64 address{};
  u32 lower{}, upper{};
};
struct ReceivedWords {
  u64 address;
  u16 length, checksum;
  u8 status, errors;
  u16 special;
};
static_assert(sizeof(SendWords) == 16 && sizeof(ReceivedWords) == 16);

class E1000Bench {
 public:
  static constexpr u64 kMmio = 0xfe00'0000, kPorts = 0xc000;
  static constexpr u64 kSendRing = 0x10000, kReceiveRing = 0x20000, kData = 0x100000,
                       kBuffers = 0x400000, kBufferStride = 0x4000;
  static constexpr unsigned kSlot = 3, kEntries = 16;
  static constexpr u32 kUsualReceive =
      hw::e1000::kReceiveEnable | hw::e1000::kAcceptBroadcast | hw::e1000::kStripCheck;

  explicit E1000Bench(Properties more = {}, std::string type = "e1000") {
    bench.machine().resume();
    Properties all = {
        {"addr", "3"}, {"netdev", "net0"}, {"romfile", ""}, {"mac", "52:54:00:12:34:56"}};
    all.insert(all.end(), more.begin(), more.end());
    card = &bench.add(type, all);
    map();
  }
  void map() {
    bench.config_write(kSlot << 3, pci::kBar0, kMmio, 4);
    bench.config_write(kSlot << 3, pci::kBar0 + 4, kPorts, 4);
    bench.config_write(kSlot << 3, pci::kCommand, 7, 2);
  }

  u32 get(u64 reg) { return static_cast<u32>(bench.load(kMmio + reg, 4)); }
  void set(u64 reg, u32 value) { bench.store(kMmio + reg, value, 4); }

  /// Rings of 16 descriptors, both directions on.
  void start(u32 receive = kUsualReceive, u32 buffers = kEntries - 1) {
    set(e1000_reg::kTdbal, kSendRing);
    set(e1000_reg::kTdlen, kEntries * 16);
    set(e1000_reg::kTctl, hw::e1000::kSendEnable | hw::e1000::kPadShort);
    set(e1000_reg::kRdbal, kReceiveRing);
    set(e1000_reg::kRdlen, kEntries * 16);
    for (unsigned n = 0; n < kEntries; ++n) buffer(n, kBuffers + n * kBufferStride);
    set(e1000_reg::kRdt, buffers);
    set(e1000_reg::kRctl, receive);
  }
  void buffer(unsigned n, u64 address) {
    bench.store(kReceiveRing + n * 16, address, 8);
    bench.store(kReceiveRing + n * 16 + 8, 0, 8);
  }

  // Sending.

  /// Puts bytes into memory, each time elsewhere, and gives their address.
  u64 place(std::span<const u8> bytes) {
    const u64 at = kData + placed_;
    placed_ += (bytes.size() + 63) & ~u64{63};
    bench.write(at, bytes);
    return at;
  }
  void queue(const SendWords& words) {
    bench.write(kSendRing + tail_ * u64{16}, {reinterpret_cast<const u8*>(&words), 16});
    tail_ = (tail_ + 1) % kEntries;
  }
  /// Of a whole frame, with status wanted.
  void queue_legacy(std::span<const u8> frame, u32 more = 0, u32 upper = 0) {
    using namespace hw::e1000;
    queue({.address = place(frame),
           .lower =
               static_cast<u32>(frame.size()) | kSendEnd | kSendCheckInserted | kSendReport | more,
           .upper = upper});
  }
  void go() { set(e1000_reg::kTdt, tail_); }
  /// Until the card has read all that was queued.
  bool sent() {
    return bench.run_until([this] { return get(e1000_reg::kTdh) == tail_; });
  }
  bool send() {
    go();
    return sent();
  }
  u8 send_status(unsigned n) {
    return static_cast<u8>(bench.load(kSendRing + n * u64{16} + 12, 1));
  }

  // Receiving.

  ReceivedWords received(unsigned n) {
    ReceivedWords words;
    std::memcpy(&words, bench.read(kReceiveRing + n * u64{16}, 16).data(), 16);
    return words;
  }
  FrameBytes stored(unsigned n) {
    return bench.read(kBuffers + n * kBufferStride, received(n).length);
  }
  /// Gives frames and waits until the card has taken or dropped them.
  bool give(std::vector<FrameBytes> frames) {
    peer.give(std::move(frames));
    return peer.all_taken();
  }
  /// Until nothing moves on the card's thread.
  void settle() { peer.settle(); }
  bool interrupt() {
    bench.run_until([this] { return bench.intx(kSlot); });
    return bench.intx(kSlot);
  }
  void run_loop() {
    settle();
    for (int n = 0; n < 4; ++n) bench.machine().loop().iterate(false);
  }

  Bench bench;
  NetPeer peer{bench.machine(), "net0"};
  Device* card{};

 private:
  u64 placed_{0};
  unsigned tail_{0};
};

/// The context descriptor for such packets.
inline SendWords context_for(const PacketShape& shape, std::size_t segment = 0) {
  using namespace hw::e1000;
  const u64 ip = shape.ip() | (shape.ip() + 10) << 8 | u64{shape.l4() - 1} << 16;
  const u64 l4 = shape.l4() | shape.sum_at() << 8;
  u32 lower = kSendExtended | static_cast<u32>(shape.payload);
  if (shape.protocol == 6) lower |= kContextTcp;
  if (!shape.version6) lower |= kContextIpv4;
  if (segment != 0) lower |= kSendSegments;
  return {.address = ip | l4 << 32,
          .lower = lower,
          .upper = static_cast<u32>(shape.header() << 8 | segment << 16)};
}
/// A data descriptor that ends its frame.
inline SendWords data_of(u64 address, std::size_t length, u32 commands, u32 options) {
  using namespace hw::e1000;
  return {.address = address,
          .lower = static_cast<u32>(length) | kSendExtended | 1 << 20 | kSendCheckInserted |
                   kSendReport | commands,
          .upper = options << 8};
}

}  // namespace rhea::test
