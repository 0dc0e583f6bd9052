// SPDX-License-Identifier: GPL-2.0-or-later
// x-fault: what goes wrong with a device on purpose, shown with edu.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <thread>

namespace rhea::test {
namespace {

class Faults : public testing::Test {
 protected:
  static constexpr unsigned kDevfn = 4 << 3;
  static constexpr u64 kBase = 0xfe00'0000, kIdentification = kBase, kRaise = kBase + 0x60,
                       kAcknowledge = kBase + 0x64, kDmaSource = kBase + 0x80,
                       kDmaTarget = kBase + 0x88, kDmaCount = kBase + 0x90,
                       kDmaCommand = kBase + 0x98;
  static constexpr u64 kIdentity = 0x0100'00ed, kOnes = 0xffff'ffff;
  static constexpr i64 kWhile = 1'000'000;

  Device& add(const std::string& faults) {
    Device& device = bench.add("edu", {{"addr", "4"}, {"x-fault", faults}});
    bench.config_write(kDevfn, pci::kBar0, kBase, 4);
    bench.config_write(kDevfn, pci::kCommand, pci::kCommandMemory | pci::kCommandMaster, 2);
    return device;
  }
  bool interrupts() {
    bench.store(kRaise, 1, 4);
    const bool level = bench.intx(0);
    bench.store(kAcknowledge, 1, 4);
    return level;
  }
  // 4 bytes from guest memory to the device, and back to another place.
  u64 copied_by_dma() {
    bench.store(0x1000, 0x1234'5678, 4);
    bench.store(0x2000, 0, 4);
    transfer(0x1000, 0x40000, 1);
    transfer(0x40000, 0x2000, 3);
    return bench.load(0x2000, 4);
  }
  void transfer(u64 source, u64 target, u64 command) {
    bench.store(kDmaSource, source, 4);
    bench.store(kDmaTarget, target, 4);
    bench.store(kDmaCount, 4, 4);
    bench.store(kDmaCommand, command, 4);
    bench.advance(kWhile);
  }
  std::string refusal(const std::string& faults) {
    const auto result = bench.try_add("edu", {{"x-fault", faults}});
    return result ? "" : result.error().message();
  }
  Bench bench;
};

TEST_F(Faults, NoneIsWithoutEffect) {
  add("");
  EXPECT_TRUE(interrupts());
  EXPECT_EQ(copied_by_dma(), 0x1234'5678u);
}

TEST_F(Faults, AnInterruptIsDroppedByCount) {
  add("drop-irq@2");
  EXPECT_TRUE(interrupts());
  EXPECT_FALSE(interrupts());
  EXPECT_TRUE(interrupts());
}

TEST_F(Faults, InterruptsAreDroppedByChanceAndTheSeedRepeatsIt) {
  const auto pattern = [this](const std::string& faults) {
    Device& device = add(faults);
    std::string seen;
    for (int i = 0; i < 64; ++i) seen += interrupts() ? '1' : '0';
    EXPECT_TRUE(bench.machine().unplug(device));
    return seen;
  };
  const std::string first = pattern("drop-irq%50+seed=7");
  EXPECT_EQ(pattern("drop-irq%50+seed=7"), first);
  EXPECT_NE(pattern("drop-irq%50+seed=8"), first);
  EXPECT_NE(first.find('0'), std::string::npos);
  EXPECT_NE(first.find('1'), std::string::npos);
}

TEST_F(Faults, AnInterruptComesLate) {
  add("delay-irq=500");
  bench.store(kRaise, 1, 4);
  EXPECT_FALSE(bench.intx(0));
  bench.advance(499);
  EXPECT_FALSE(bench.intx(0));
  bench.advance(1);
  EXPECT_TRUE(bench.intx(0));
}

TEST_F(Faults, AnInterruptThatIsServedBeforeItComesDoesNotCome) {
  add("delay-irq=500");
  EXPECT_FALSE(interrupts());
  bench.advance(kWhile);
  EXPECT_FALSE(bench.intx(0));
}

TEST_F(Faults, AMessageComesLate) {
  add("delay-irq=500");
  bench.config_write(kDevfn, 0x44, 0xfee0'0000, 4);
  bench.config_write(kDevfn, 0x4c, 0x41, 2);
  bench.config_write(kDevfn, 0x42, 1, 2);
  bench.store(kRaise, 1, 4);
  EXPECT_TRUE(bench.messages().empty());
  bench.advance(500);
  ASSERT_EQ(bench.messages().size(), 1u);
  EXPECT_EQ(bench.messages()[0].data, 0x41u);
}

TEST_F(Faults, TransfersFail) {
  add("fail-dma");
  EXPECT_NE(copied_by_dma(), 0x1234'5678u);
}

TEST_F(Faults, RegistersAreAllOnes) {
  add("ones@2");
  EXPECT_EQ(bench.load(kIdentification, 4), kIdentity);
  EXPECT_EQ(bench.load(kIdentification, 4), kOnes);
  EXPECT_EQ(bench.load(kIdentification, 4), kIdentity);
}

TEST_F(Faults, TheDeviceIsPulledOutAndPutBack) {
  Device& device = add("surprise-remove@3");
  bench.store(kRaise, 1, 4);
  EXPECT_EQ(bench.load(kIdentification, 4), kIdentity);
  EXPECT_EQ(bench.load(kIdentification, 4), kOnes);
  EXPECT_EQ(bench.load(kIdentification, 4), kOnes);
  EXPECT_EQ(bench.config_read(kDevfn, 0, 4), kOnes);
  bench.advance(kWhile);
  EXPECT_FALSE(bench.intx(0));
  ASSERT_TRUE(device.set("x-fault", ""));
  EXPECT_EQ(bench.load(kIdentification, 4), kIdentity);
  EXPECT_TRUE(bench.intx(0));
}

TEST_F(Faults, AreSetWhileTheDeviceWorks) {
  Device& device = add("");
  EXPECT_EQ(bench.load(kIdentification, 4), kIdentity);
  ASSERT_TRUE(device.set("x-fault", "surprise-remove"));
  EXPECT_EQ(bench.load(kIdentification, 4), kOnes);
  EXPECT_EQ(to_text(*device.get("x-fault")), "surprise-remove");
  ASSERT_TRUE(device.set("x-fault", "none"));
  EXPECT_EQ(bench.load(kIdentification, 4), kIdentity);
  EXPECT_EQ(to_text(*device.get("x-fault")), "");
}

// A processor's accesses to a device with a lock of its own come without the machine's.
class FaultsElsewhere : public Faults {
 protected:
  static constexpr u64 kStatus = kBase + 8;

  Device& add_card(const std::string& faults) {
    Device& device = bench.add("e1000", {{"addr", "4"}, {"x-fault", faults}});
    bench.config_write(kDevfn, pci::kBar0, kBase, 4);
    bench.config_write(kDevfn, pci::kCommand, pci::kCommandMemory, 2);
    return device;
  }
  u64 status() {
    u64 value = 0;
    std::jthread([&] { value = bench.machine().memory().load(kStatus, 4); }).join();
    return value;
  }
};

TEST_F(FaultsElsewhere, RegistersAreAllOnes) {
  add_card("ones@2");
  EXPECT_NE(status(), kOnes);
  EXPECT_EQ(status(), kOnes);
  EXPECT_NE(status(), kOnes);
}

TEST_F(FaultsElsewhere, TheDeviceIsPulledOutAndPutBack) {
  Device& device = add_card("surprise-remove@2");
  EXPECT_NE(status(), kOnes);
  EXPECT_EQ(status(), kOnes);
  EXPECT_EQ(bench.config_read(kDevfn, 0, 4), kOnes);
  bench.advance(kWhile);
  ASSERT_TRUE(device.set("x-fault", ""));
  EXPECT_NE(status(), kOnes);
  EXPECT_TRUE(bench.machine().unplug(device));
}

TEST_F(Faults, NonsenseIsRefusedByName) {
  EXPECT_NE(refusal("drop").find("Property 'edu.x-fault': 'drop' is none of drop-irq"),
            std::string::npos)
      << refusal("drop");
  EXPECT_NE(refusal("drop-irq@0").find("a number from 1"), std::string::npos);
  EXPECT_NE(refusal("drop-irq%101").find("a number from 1 to 100"), std::string::npos);
  EXPECT_NE(refusal("drop-irq@2%3").find("either @ or %"), std::string::npos);
  EXPECT_NE(refusal("delay-irq").find("delay-irq=NANOSECONDS is expected"), std::string::npos);
  EXPECT_NE(refusal("ones=3").find("it takes no \"=\""), std::string::npos);
  EXPECT_NE(refusal("ones+ones").find("'ones' is there twice"), std::string::npos);
  EXPECT_NE(refusal("ones+seed=x").find("seed=x"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
