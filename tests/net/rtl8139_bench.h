// SPDX-License-Identifier: GPL-2.0-or-later
// A machine with an rtl8139 in slot 3, its rings in memory, and a peer at the other end.
#pragma once

#include "hw/net/rtl8139_registers.h"
#include "tests/net/frames.h"
#include "tests/support/bench.h"
#include "tests/support/net_peer.h"

#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace rhea::test {

/// Offsets of registers.
namespace rtl_reg {
inline constexpr u64 kIdr = 0x00, kMar = 0x08, kTsd = 0x10, kTsad = 0x20, kRbstart = 0x30,
                     kErsr = 0x36, kCr = 0x37, kCapr = 0x38, kCbr = 0x3a, kImr = 0x3c, kIsr = 0x3e,
                     kTcr = 0x40, kRcr = 0x44, kTctr = 0x48, kMpc = 0x4c, k9346cr = 0x50,
                     kConfig1 = 0x52, kConfig3 = 0x59, kConfig4 = 0x5a, kTimerInt = 0x54,
                     kMsr = 0x58, kSummary = 0x60, kBmcr = 0x62, kBmsr = 0x64, kDis = 0x6c,
                     kTppoll = 0xd9, kCpcr = 0xe0, kRdsar = 0xe4;
}  // namespace rtl_reg

struct PlusWords {
  u32 command{}, tag{};
  u64 address{};
};
static_assert(sizeof(PlusWords) == 16);

class Rtl8139Bench {
 public:
  static constexpr u64 kPorts = 0xc000, kMmio = 0xfe00'0000;
  static constexpr u64 kRing = 0x20000, kNormalRing = 0x40000, kHighRing = 0x41000,
                       kReceiveRing = 0x42000, kData = 0x100000, kBuffers = 0x400000;
  static constexpr unsigned kSlot = 3;
  static constexpr u32 kUsual =
      hw::rtl8139::kAcceptOwn | hw::rtl8139::kAcceptBroadcast | hw::rtl8139::kAcceptMulticast;

  Rtl8139Bench() {
    bench.machine().resume();
    card = &bench.add(
        "rtl8139",
        {{"addr", "3"}, {"netdev", "net0"}, {"romfile", ""}, {"mac", "52:54:00:12:34:56"}});
    map();
  }
  void map() {
    bench.config_write(kSlot << 3, pci::kBar0, kPorts, 4);
    bench.config_write(kSlot << 3, pci::kBar0 + 4, kMmio, 4);
    bench.config_write(kSlot << 3, pci::kCommand, 7, 2);
  }

  u32 get(u64 reg, unsigned size = 4) {
    return static_cast<u32>(bench.in(static_cast<u16>(kPorts + reg), size));
  }
  void set(u64 reg, u32 value, unsigned size = 4) {
    bench.out(static_cast<u16>(kPorts + reg), value, size);
  }
  u16 causes() { return static_cast<u16>(get(rtl_reg::kIsr, 2)); }
  u16 take_causes() {
    const u16 all = causes();
    set(rtl_reg::kIsr, all, 2);
    return all;
  }
  bool cause(u16 wanted) {
    return bench.run_until([this, wanted] { return (causes() & wanted) == wanted; });
  }

  /// As an RTL8139: both directions on, a ring of 8 KiB << size.
  void start(u32 receive = kUsual, unsigned size = 0) {
    set(rtl_reg::kRbstart, kRing);
    set(rtl_reg::kCr, hw::rtl8139::kSendEnable | hw::rtl8139::kReceiveEnable, 1);
    set(rtl_reg::kRcr, receive | size << 11);
  }
  u64 place(std::span<const u8> bytes) {
    const u64 at = kData + placed_;
    placed_ += (bytes.size() + 63) & ~u64{63};
    bench.write(at, bytes);
    return at;
  }
  void send(unsigned n, std::span<const u8> frame) {
    set(rtl_reg::kTsad + 4 * n, static_cast<u32>(place(frame)));
    set(rtl_reg::kTsd + 4 * n, static_cast<u32>(frame.size()));
  }
  bool sent(unsigned n) {
    return bench.run_until(
        [this, n] { return (get(rtl_reg::kTsd + 4 * n) & hw::rtl8139::kSendOwn) != 0; });
  }
  bool give(std::vector<FrameBytes> frames) {
    peer.give(std::move(frames));
    return peer.all_taken();
  }
  /// The frame that stands at `at` of the ring, without its check sequence.
  FrameBytes stored(u64 at) {
    const auto length = bench.load(kRing + at + 2, 2);
    return bench.read(kRing + at + 4, length - 4);
  }
  u16 status(u64 at) { return static_cast<u16>(bench.load(kRing + at, 2)); }

  /// In C+ mode: rings of 4 descriptors, with `buffers` of `bytes`.
  void start_plus(u16 more = 0, u32 bytes = 1600, unsigned buffers = 4) {
    using namespace hw::rtl8139;
    set(rtl_reg::kCpcr, kPlusSend | kPlusReceive | more, 2);
    set(rtl_reg::kTsad, kNormalRing);
    set(rtl_reg::kTsad + 8, kHighRing);
    set(rtl_reg::kRdsar, kReceiveRing);
    for (unsigned n = 0; n < 4; ++n) {
      const u32 ring = n == 3 ? kEndOfRing : 0;
      put(kNormalRing, n, {.command = ring});
      put(kHighRing, n, {.command = ring});
      buffer(n, n < buffers ? kOwn | bytes : 0);
    }
    set(rtl_reg::kCr, kSendEnable | kReceiveEnable, 1);
    set(rtl_reg::kRcr, kUsual);
  }
  void put(u64 ring, unsigned n, const PlusWords& words) {
    bench.write(ring + n * u64{16}, {reinterpret_cast<const u8*>(&words), 16});
  }
  void buffer(unsigned n, u32 command) {
    put(kReceiveRing, n,
        {.command = command | (n == 3 ? hw::rtl8139::kEndOfRing : 0),
         .address = kBuffers + n * u64{0x4000}});
  }
  PlusWords words(u64 ring, unsigned n) {
    PlusWords words;
    std::memcpy(&words, bench.read(ring + n * u64{16}, 16).data(), 16);
    return words;
  }
  /// A descriptor of a whole frame, or of what `flags` say.
  void put_frame(u64 ring, unsigned n, std::span<const u8> bytes, u32 more = 0, u32 tag = 0,
                 u32 flags = hw::rtl8139::kFirst | hw::rtl8139::kLast) {
    using namespace hw::rtl8139;
    put(ring, n,
        {.command =
             kOwn | flags | more | static_cast<u32>(bytes.size()) | (n == 3 ? kEndOfRing : 0),
         .tag = tag,
         .address = place(bytes)});
  }
  void poll(u8 which = hw::rtl8139::kPollNormal) { set(rtl_reg::kTppoll, which, 1); }

  Bench bench;
  NetPeer peer{bench.machine(), "net0"};
  Device* card{};

 private:
  u64 placed_{0};
};

}  // namespace rhea::test
