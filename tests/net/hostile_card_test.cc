// SPDX-License-Identifier: GPL-2.0-or-later
// A guest and a peer that do anything with an e1000, while its thread runs.
#include "tests/net/e1000_bench.h"
#include "tests/support/environment.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using namespace hw::e1000;
using namespace e1000_reg;

class HostileCardTest : public testing::Test {
 protected:
  HostileCardTest() { e1000.start(); }

  u64 pick(u64 below) { return random() % below; }
  u64 address() {
    const std::array<u64, 7> places{E1000Bench::kSendRing, E1000Bench::kReceiveRing,
                                    E1000Bench::kData,     E1000Bench::kBuffers,
                                    E1000Bench::kMmio,     16 * MiB - 16,
                                    0xffff'ffff'ffff'ff00};
    return pick(16) == 0 ? random() : places[pick(places.size())] + pick(64);
  }
  u32 length() { return static_cast<u32>(pick(200) == 0 ? random() & 0xfffff : pick(1600)); }

  void describe_sending() {
    const u64 at = E1000Bench::kSendRing + 16 * pick(E1000Bench::kEntries);
    if (pick(4) == 0) {
      // A context.
      const u64 offsets = pick(4) == 0 ? random() : 0x0000'3222'0021'180e;
      e1000.bench.store(at, offsets, 8);
      e1000.bench.store(at + 8, kSendExtended | (random() & 0x0f00'0000), 4);
      e1000.bench.store(at + 12, pick(4) == 0 ? random() : pick(1500) << 16 | pick(100) << 8, 4);
      return;
    }
    const u64 kind = pick(8) == 0 ? random() & 0x00f0'0000 : pick(2) * (kSendExtended | 1u << 20);
    e1000.bench.store(at, address(), 8);
    e1000.bench.store(at + 8, length() | kind | (random() & 0xdf00'0000), 4);
    e1000.bench.store(at + 12, random(), 4);
  }
  void describe_receiving() {
    e1000.buffer(
        static_cast<unsigned>(pick(E1000Bench::kEntries)),
        pick(8) == 0 ? address() : E1000Bench::kBuffers + E1000Bench::kBufferStride * pick(64));
  }
  u32 tail() { return static_cast<u32>(pick(64) == 0 ? random() : pick(E1000Bench::kEntries)); }

  void give() {
    std::vector<FrameBytes> frames(pick(8));
    for (FrameBytes& frame : frames) {
      frame = packet({.version6 = pick(2) == 0,
                      .protocol = static_cast<u8>(pick(2) == 0 ? 6 : 17),
                      .payload = pick(100) == 0 ? pick(17000) : pick(1500)});
      if (pick(4) == 0) std::ranges::fill(std::span(frame).first(6), u8{0xff});
      if (pick(4) == 0) put_word(frame, 12, 2, 0x8100);
      if (pick(16) == 0) put_word(frame, 12, 4, 0x8808'0001);
      for (u64 n = pick(4); n > 0; --n) frame[pick(frame.size())] = static_cast<u8>(random());
      if (pick(8) == 0) frame.resize(pick(70));
    }
    e1000.peer.give(std::move(frames));
  }
  void touch_register() {
    const std::array<u64, 31> usual{kCtrl,   kEecd, kEerd, kMdic,  kFcal,  kFcah,  kFct,   kVet,
                                    kItr,    kIcs,  kIms,  kImc,   kRctl,  kTctl,  kRdbal, kRdlen,
                                    kRdh,    kRdtr, kRadv, kTdbal, kTdlen, kTdh,   kTidv,  kTadv,
                                    kRxcsum, kMta,  kRal,  kRah,   kVfta,  0x3828, 0x2c00};
    const u64 at = pick(16) == 0 ? pick(0x20000) & ~u64{3} : usual[pick(usual.size())];
    pick(4) == 0 ? static_cast<void>(e1000.get(at))
                 : e1000.set(at, static_cast<u32>(pick(2) == 0 ? random() : pick(0x400)));
  }
  void touch_ports() {
    e1000.bench.out(E1000Bench::kPorts, pick(0x100) * 4, 4);
    e1000.bench.out(E1000Bench::kPorts + 4, random(), 4);
  }
  void start_over() {
    e1000.map();
    e1000.set(kRdh, 0);
    e1000.set(kTdh, 0);
    e1000.set(kTdt, 0);
    // Sometimes all that a peer sends.
    e1000.start(E1000Bench::kUsualReceive | (pick(2) == 0 ? kAllUnicast | kAllMulticast : 0) |
                static_cast<u32>(pick(4) << 16) | (pick(4) == 0 ? kLongFrames : 0));
    e1000.set(kRxcsum, static_cast<u32>(pick(8) << 8));
    e1000.set(kCtrl, kSetLinkUp | (pick(2) == 0 ? kVlanMode : 0) | kReceivePauses);
    e1000.set(kIms, kIntAll);
  }
  void save_and_load() {
    e1000.bench.machine().pause();
    const auto saved = e1000.bench.save();
    refused += !e1000.bench.load(saved);
    changed += e1000.bench.save() != saved;
    e1000.bench.machine().resume();
  }
  void step() {
    const u64 what = pick(1000);
    if (what < 300) return describe_sending();
    if (what < 450) return e1000.set(kTdt, tail());
    if (what < 570) return give();
    if (what < 600) return describe_receiving();
    if (what < 700) return e1000.set(kRdt, tail());
    if (what < 780) return touch_register();
    if (what < 800) return static_cast<void>(e1000.get(kIcr));
    if (what < 810) return touch_ports();
    if (what < 840) return e1000.bench.advance(static_cast<i64>(pick(200'000)));
    if (what < 900) return static_cast<void>(e1000.bench.machine().loop().iterate(false));
    if (what < 930) return e1000.peer.room_for(pick(100));
    if (what < 950) return static_cast<void>(sent += e1000.peer.take_all().size());
    if (what < 955) return e1000.peer.netdev().set_link(pick(3) != 0);
    if (what < 965) return save_and_load();
    if (what < 968) return e1000.bench.reset();
    if (what < 975) return e1000.set(kCtrl, kReset);
    if (what < 978)
      return e1000.bench.config_write(E1000Bench::kSlot << 3, pci::kCommand,
                                      static_cast<u32>(pick(8)), 2);
    if (what < 990) return start_over();
  }

  std::mt19937_64 random{from_environment("RHEA_NIC_SEED", 1)};
  E1000Bench e1000;
  unsigned refused{0}, changed{0};
  std::size_t sent{0};
};

TEST_F(HostileCardTest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  const u64 steps = from_environment("RHEA_NIC_STEPS", 10'000);
  for (u64 n = 0; n < steps; ++n) step();
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(changed, 0u);
  e1000.peer.room_for(100'000);
  e1000.peer.netdev().set_link(true);
  e1000.bench.reset();
  e1000.settle();
  sent += e1000.peer.take_all().size();
  EXPECT_GT(sent, 0u);
  e1000.map();
  e1000.start();
  const FrameBytes frame = frame_to(kCardMac, 100);
  EXPECT_TRUE(e1000.peer.all_taken());
  e1000.peer.give(frame);
  EXPECT_TRUE(e1000.peer.all_taken());
  EXPECT_EQ(e1000.stored(0), frame);
}

TEST(CardUnderWay, MayBeUnpluggedAtAnyPoint) {
  std::mt19937 random(from_environment("RHEA_NIC_SEED", 1));
  const u64 rounds = from_environment("RHEA_NIC_STEPS", 10'000) / 200;
  for (u64 n = 0; n < rounds; ++n) {
    E1000Bench e1000;
    e1000.peer.room_for(random() % 8);
    e1000.start(E1000Bench::kUsualReceive, random() % E1000Bench::kEntries);
    e1000.peer.give(std::vector<FrameBytes>(8, frame_to(kCardMac, 1000)));
    for (unsigned frame = 0; frame < 8; ++frame) e1000.queue_legacy(frame_to(kPeerMac, 1000));
    e1000.go();
    for (unsigned turns = random() % 4; turns > 0; --turns)
      e1000.bench.machine().loop().iterate(false);
    ASSERT_TRUE(e1000.bench.machine().unplug(*e1000.card));
    EXPECT_FALSE(e1000.peer.netdev().attached());
    e1000.bench.add("e1000", {{"netdev", "net0"}, {"romfile", ""}});
    EXPECT_TRUE(e1000.peer.netdev().attached());
  }
}

}  // namespace
}  // namespace rhea::test
