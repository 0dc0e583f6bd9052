// SPDX-License-Identifier: GPL-2.0-or-later
// A guest and a peer that do anything with an rtl8139, while its thread runs.
#include "tests/net/rtl8139_bench.h"
#include "tests/support/environment.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using namespace hw::rtl8139;
using namespace rtl_reg;

class Rtl8139Hostile : public testing::Test {
 protected:
  Rtl8139Hostile() { start_over(); }

  u64 pick(u64 below) { return random() % below; }
  u64 address() {
    const std::array<u64, 8> places{Rtl8139Bench::kRing,     Rtl8139Bench::kNormalRing,
                                    Rtl8139Bench::kHighRing, Rtl8139Bench::kReceiveRing,
                                    Rtl8139Bench::kData,     Rtl8139Bench::kMmio,
                                    16 * MiB - 16,           0xffff'ffff'ffff'ff00};
    return pick(16) == 0 ? random() : places[pick(places.size())] + pick(64);
  }
  void describe() {
    const std::array<u64, 3> rings{Rtl8139Bench::kNormalRing, Rtl8139Bench::kHighRing,
                                   Rtl8139Bench::kReceiveRing};
    u32 command = static_cast<u32>(random()) & ~kEndOfRing;
    if (pick(4) != 0) command |= kOwn;
    if (pick(2) == 0) command = (command & ~u32{0xffff}) | static_cast<u32>(pick(1600));
    if (pick(2) == 0) command |= kFirst | kLast;
    const unsigned n = static_cast<unsigned>(pick(4));
    if (n == 3 && pick(8) != 0) command |= kEndOfRing;
    rtl.put(rings[pick(3)], n,
            {.command = command, .tag = static_cast<u32>(random()), .address = address()});
  }
  void write_packet() {
    const PacketShape shape{.protocol = static_cast<u8>(pick(2) == 0 ? 6 : 17),
                            .payload = pick(1400)};
    FrameBytes frame = packet(shape);
    for (u64 n = pick(4); n > 0; --n) frame[pick(60)] = static_cast<u8>(random());
    rtl.bench.write(Rtl8139Bench::kData + pick(8), frame);
  }
  void give() {
    std::vector<FrameBytes> frames(pick(8));
    for (FrameBytes& frame : frames) {
      frame = packet({.version6 = pick(2) == 0,
                      .protocol = static_cast<u8>(pick(2) == 0 ? 6 : 17),
                      .payload = pick(50) == 0 ? pick(17000) : pick(1500)});
      if (pick(4) == 0) std::ranges::fill(std::span(frame).first(6), u8{0xff});
      if (pick(4) == 0) put_word(frame, 12, 2, 0x8100);
      for (u64 n = pick(4); n > 0; --n) frame[pick(frame.size())] = static_cast<u8>(random());
      if (pick(8) == 0) frame.resize(pick(70));
    }
    rtl.peer.give(std::move(frames));
  }
  void touch_register() {
    const std::array<u64, 18> usual{kTsd,  kTsd + 4, kTsd + 8,  kTsad, kTsad + 4, kRbstart,
                                    kCapr, kImr,     kIsr,      kTcr,  kRcr,      kTctr,
                                    kMpc,  k9346cr,  kTimerInt, kCpcr, kRdsar,    kBmcr};
    const u64 at = pick(4) == 0 ? pick(256) & ~u64{3} : usual[pick(usual.size())];
    const unsigned size = 1U << pick(3);
    pick(4) == 0 ? static_cast<void>(rtl.get(at & ~u64{size - 1}, size))
                 : rtl.set(at & ~u64{size - 1},
                           static_cast<u32>(pick(2) == 0 ? random() : pick(0x800)), size);
  }
  void send_plainly() {
    const unsigned n = static_cast<unsigned>(pick(4));
    rtl.set(kTsad + 4 * n, static_cast<u32>(address()));
    rtl.set(kTsd + 4 * n, static_cast<u32>(pick(0x4000)));
  }
  void start_over() {
    rtl.map();
    rtl.set(kCr, kReset, 1);
    if (pick(2) == 0)
      rtl.start(Rtl8139Bench::kUsual | static_cast<u32>(pick(256)), static_cast<unsigned>(pick(4)));
    else
      rtl.start_plus(static_cast<u16>(pick(4) << 5), static_cast<u32>(pick(2000)));
    rtl.set(kImr, kIntAll, 2);
  }
  void save_and_load() {
    rtl.bench.machine().pause();
    const auto saved = rtl.bench.save();
    refused += !rtl.bench.load(saved);
    changed += rtl.bench.save() != saved;
    rtl.bench.machine().resume();
  }
  void step() {
    const u64 what = pick(1000);
    if (what < 200) return describe();
    if (what < 250) return write_packet();
    if (what < 350) return rtl.poll(static_cast<u8>(random()));
    if (what < 450) return send_plainly();
    if (what < 580) return give();
    if (what < 640) return rtl.set(kCapr, static_cast<u32>(random()), 2);
    if (what < 750) return touch_register();
    if (what < 790) return static_cast<void>(rtl.take_causes());
    if (what < 830) return rtl.bench.advance(static_cast<i64>(pick(2'000'000)));
    if (what < 900) return static_cast<void>(rtl.bench.machine().loop().iterate(false));
    if (what < 930) return rtl.peer.room_for(pick(100));
    if (what < 950) return static_cast<void>(sent += rtl.peer.take_all().size());
    if (what < 955) return rtl.peer.netdev().set_link(pick(3) != 0);
    if (what < 965) return save_and_load();
    if (what < 968) return rtl.bench.reset();
    if (what < 972)
      return rtl.bench.config_write(Rtl8139Bench::kSlot << 3, pci::kCommand,
                                    static_cast<u32>(pick(8)), 2);
    if (what < 990) return start_over();
  }

  std::mt19937_64 random{from_environment("RHEA_NIC_SEED", 1)};
  Rtl8139Bench rtl;
  unsigned refused{0}, changed{0};
  std::size_t sent{0};
};

TEST_F(Rtl8139Hostile, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  const u64 steps = from_environment("RHEA_NIC_STEPS", 10'000);
  for (u64 n = 0; n < steps; ++n) step();
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(changed, 0u);
  rtl.peer.room_for(100'000);
  rtl.peer.netdev().set_link(true);
  rtl.bench.reset();
  rtl.peer.settle();
  sent += rtl.peer.take_all().size();
  EXPECT_GT(sent, 0u);
  rtl.map();
  rtl.start();
  EXPECT_TRUE(rtl.peer.all_taken());
  rtl.set(kCr, kSendEnable, 1);
  rtl.start();
  const FrameBytes frame = frame_to(kCardMac, 100);
  rtl.peer.give(frame);
  EXPECT_TRUE(rtl.peer.all_taken());
  EXPECT_EQ(rtl.stored(0), frame);
}

TEST(Rtl8139UnderWay, MayBeUnpluggedAtAnyPoint) {
  std::mt19937 random(from_environment("RHEA_NIC_SEED", 1));
  const u64 rounds = from_environment("RHEA_NIC_STEPS", 10'000) / 400;
  for (u64 n = 0; n < rounds; ++n) {
    Rtl8139Bench rtl;
    rtl.peer.room_for(random() % 4);
    rtl.start();
    rtl.peer.give(std::vector<FrameBytes>(8, frame_to(kCardMac, 1400)));
    for (unsigned frame = 0; frame < 4; ++frame) rtl.send(frame, frame_to(kPeerMac, 1000));
    for (unsigned turns = random() % 4; turns > 0; --turns)
      rtl.bench.machine().loop().iterate(false);
    ASSERT_TRUE(rtl.bench.machine().unplug(*rtl.card));
    EXPECT_FALSE(rtl.peer.netdev().attached());
    rtl.bench.add("rtl8139", {{"netdev", "net0"}, {"romfile", ""}});
    EXPECT_TRUE(rtl.peer.netdev().attached());
  }
}

}  // namespace
}  // namespace rhea::test
