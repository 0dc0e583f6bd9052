// SPDX-License-Identifier: GPL-2.0-or-later
// Rings that no driver may make: each breaks its queue, with a reason, in bounded time.
#include "tests/support/environment.h"
#include "tests/virtio/queue_fixture.h"

#include <gmock/gmock.h>

#include <random>

namespace rhea::test {
namespace {

using hw::Popped;
using testing::HasSubstr;

constexpr u16 kNextFlag = 1, kIndirectFlag = 4;
constexpr hw::RingRules kSplitRules{.indirect = true, .event_index = true};
constexpr hw::RingRules kPackedRules{.packed = true, .indirect = true, .event_index = true};

class HostileRing : public testing::TestWithParam<bool> {
 protected:
  LoneQueue lone{GetParam() ? kPackedRules : kSplitRules};
  void expect_broken(std::string_view why) {
    EXPECT_EQ(lone.pop(), Popped::Broken);
    EXPECT_EQ(lone.broken, 1u);
    EXPECT_THAT(lone.reason, HasSubstr(why));
    EXPECT_EQ(lone.pop(), Popped::Broken);
    EXPECT_EQ(lone.broken, 1u) << "it is told once";
  }
};
INSTANTIATE_TEST_SUITE_P(Layouts, HostileRing, testing::Bool(), layout_name);

TEST_P(HostileRing, ReadableBehindWritableIsAnError) {
  lone.driver->add({{kData, 1, true}, {kData, 1}});
  expect_broken("to read behind one to write");
}

TEST_P(HostileRing, ATableOfNothingIsAnError) {
  lone.driver->add_indirect({}, kTable);
  expect_broken("without whole descriptors");
}

TEST_P(HostileRing, ATableThatWasNotNegotiatedIsAnError) {
  LoneQueue plain({.packed = GetParam()});
  plain.driver->add_indirect({{kData, 1}}, kTable);
  EXPECT_EQ(plain.pop(), Popped::Broken);
  EXPECT_THAT(plain.reason, HasSubstr("not negotiated"));
}

TEST_P(HostileRing, ATableWithoutMemoryIsAnError) {
  lone.driver->add_indirect({{kData, 1}}, 0xf000'0000);
  expect_broken("where no memory is");
}

TEST_P(HostileRing, ATableInATableIsAnError) {
  lone.driver->add_indirect({{kData, 16}}, kTable);
  lone.bench.store(kTable + (GetParam() ? 14 : 12), kIndirectFlag, 2);
  expect_broken("in an indirect table");
}

TEST_P(HostileRing, ATableOfTooManyIsAnError) {
  lone.driver->add_indirect(std::vector<Piece>(1025, {.address = kData, .length = 1}), kTable);
  expect_broken("too many descriptors");
}

TEST_P(HostileRing, MoreThanFourGibibytesIsAnError) {
  lone.driver->add({{kData, ~0u}, {kData, ~0u}});
  expect_broken("more than 4 GiB");
}

TEST_P(HostileRing, TheEndOfMemoryIsTheEnd) {
  lone.driver->add({{~u64{0} - 3, 8}});
  expect_broken("beyond the end of memory");
}

TEST_P(HostileRing, ARingWhereNoMemoryIsIsAnError) {
  lone.queue.set_address(hw::VirtQueue::Area::Driver, 0xf000'0000);
  lone.queue.set_address(hw::VirtQueue::Area::Descriptors, 0xf000'0000);
  expect_broken("where no memory is");
}

TEST_P(HostileRing, ARingInTheDevicesOwnRegistersIsAnError) {
  lone.queue.set_address(hw::VirtQueue::Area::Driver, LoneQueue::kRegisters);
  lone.queue.set_address(hw::VirtQueue::Area::Descriptors, LoneQueue::kRegisters);
  expect_broken("where no memory is");
}

TEST_P(HostileRing, BuffersInRegistersAreAnErrorWhenTheyAreUsed) {
  lone.driver->add({{LoneQueue::kRegisters, 8}, {LoneQueue::kRegisters, 8, true}});
  ASSERT_EQ(lone.pop(), Popped::One);
  std::array<u8, 8> bytes{};
  EXPECT_FALSE(lone.queue.read(lone.buffer, 0, bytes));
  EXPECT_FALSE(lone.queue.write(lone.buffer, 0, bytes));
  EXPECT_TRUE(lone.queue.broken());
  lone.queue.push(lone.buffer, 0);
  EXPECT_EQ(lone.driver->take_used(), std::nullopt) << "nothing reaches a broken queue's driver";
}

TEST_P(HostileRing, MoreThanABufferHasIsAnError) {
  lone.driver->add({{kData, 4}});
  ASSERT_EQ(lone.pop(), Popped::One);
  std::array<u8, 5> bytes{};
  EXPECT_FALSE(lone.queue.read(lone.buffer, 0, bytes));
  EXPECT_THAT(lone.reason, HasSubstr("too short"));
}

TEST(HostileSplitRing, ALoopIsAnError) {
  LoneQueue lone(kSplitRules);
  lone.split().put(0, {kData, 1}, kNextFlag, 1);
  lone.split().put(1, {kData, 1}, kNextFlag, 0);
  lone.split().make_available(0);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("without an end"));
}

TEST(HostileSplitRing, ALoopInATableIsAnError) {
  LoneQueue lone(kSplitRules);
  lone.split().add_indirect({{kData, 0}, {kData, 0}}, kTable);
  lone.bench.store(kTable + 16 + 12, kNextFlag, 2);
  lone.bench.store(kTable + 16 + 14, 0, 2);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("without an end"));
}

TEST(HostileSplitRing, AHeadThatIsNotThereIsAnError) {
  LoneQueue lone(kSplitRules);
  lone.split().make_available(8);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("does not have"));
}

TEST(HostileSplitRing, ANextThatIsNotThereIsAnError) {
  LoneQueue lone(kSplitRules);
  lone.split().put(0, {kData, 1}, kNextFlag, 8);
  lone.split().make_available(0);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("does not have"));
}

TEST(HostileSplitRing, AnIndexThatRanAwayIsAnError) {
  LoneQueue lone(kSplitRules);
  lone.split().set_available_index(9);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("more available buffers"));
}

TEST(HostileSplitRing, ATableIsTheEndOfItsChain) {
  LoneQueue lone(kSplitRules);
  lone.split().put(0, {kTable, 16}, kIndirectFlag | kNextFlag, 1);
  lone.split().make_available(0);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("follows an indirect table"));
}

TEST(HostileSplitRing, AUsedRingWithoutMemoryIsAnError) {
  LoneQueue lone({.indirect = true});
  lone.queue.set_address(hw::VirtQueue::Area::Device, 0xf000'0000);
  lone.driver->add({{kData, 1}});
  ASSERT_EQ(lone.echo(), Popped::One);
  EXPECT_TRUE(lone.queue.broken());
}

TEST(HostileSplitRing, NoMoreBuffersAreTakenThanThereAreEntries) {
  LoneQueue lone({}, 2);
  lone.split().put(0, {kData, 1}, 0, 0);
  lone.split().make_available(0);
  lone.split().make_available(0);
  EXPECT_EQ(lone.pop(), Popped::One);
  EXPECT_EQ(lone.pop(), Popped::One);
  lone.split().make_available(0);
  EXPECT_EQ(lone.pop(), Popped::None);
}

TEST(HostilePackedRing, AChainWithoutAnEndIsAnError) {
  LoneQueue lone(kPackedRules);
  for (u16 n = 0; n < 8; ++n) lone.packed().put({kData, 1}, n, kNextFlag);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("more descriptors than there are free ones"));
}

TEST(HostilePackedRing, ATableBehindDirectDescriptorsIsAnError) {
  LoneQueue lone(kPackedRules);
  lone.packed().put({kData, 1}, 0, kNextFlag);
  lone.packed().put({kTable, 16}, 0, kIndirectFlag);
  EXPECT_EQ(lone.pop(), Popped::Broken);
  EXPECT_THAT(lone.reason, HasSubstr("behind direct descriptors"));
}

/// Anything in the rings, the tables and the queue's own addresses, changed between any two steps.
class RingFuzz : public testing::TestWithParam<bool> {
 protected:
  u64 address() {
    const std::array<u64, 6> places{lone.place.descriptors, lone.place.driver,
                                    lone.place.device,      kTable,
                                    LoneQueue::kRegisters,  0xffff'f000};
    return random() % 8 == 0 ? random() : places[random() % places.size()] + random() % 64;
  }
  void scribble() {
    const u64 at = address();
    const unsigned size = 1u << random() % 4;
    const u64 value = random() % 3 == 0   ? address()
                      : random() % 2 == 0 ? random() % 20
                                          : random() & 0x8087;
    lone.bench.machine().memory().store(at, value, size);
  }
  /// A descriptor that might be one, of the ring or of a table.
  void describe_something() {
    AddressSpace& memory = lone.bench.machine().memory();
    const u64 at = (random() % 4 == 0 ? kTable : lone.place.descriptors) + 16 * (random() % 8);
    const u64 flags = random() % 8 & random() % 8;
    const u64 number = random() % 8;
    memory.store(at, address(), 8);
    memory.store(at + 8, random() % 5 * 16, 4);
    memory.store(at + 12, GetParam() ? number : flags, 2);
    memory.store(at + 14, GetParam() ? flags | (random() % 2 == 0 ? 0x80 : 0x8000) : number, 2);
  }
  void start_over() {
    lone.queue.reset();
    lone.queue.set_entries(GetParam() ? static_cast<u16>(1 + random() % 8) : u16{8});
    lone.queue.set_address(hw::VirtQueue::Area::Descriptors, lone.place.descriptors);
    lone.queue.set_address(hw::VirtQueue::Area::Driver, lone.place.driver);
    lone.queue.set_address(hw::VirtQueue::Area::Device, lone.place.device);
    lone.queue.enable();
  }
  void step() {
    hw::VirtBuffer buffer;
    std::array<u8, 32> bytes{};
    ++steps;
    const Popped popped = lone.queue.pop(buffer);
    taken += popped == Popped::One;
    if (popped == Popped::Broken || random() % 64 == 0) return start_over();
    if (popped == Popped::None) return;
    if (random() % 8 == 0) return lone.queue.undo_pop(buffer);
    if (random() % 4 == 0) (void)lone.queue.read(buffer, random() % 64, bytes);
    if (random() % 4 == 0) (void)lone.queue.write(buffer, random() % 64, bytes);
    if (random() % 16 != 0) lone.queue.push(buffer, static_cast<u32>(random()));
    (void)lone.queue.wants_interrupt();
  }
  std::mt19937_64 random{from_environment("RHEA_RING_SEED", 1)};
  hw::RingRules rules{
      .packed = GetParam(), .indirect = true, .event_index = true, .in_order = true};
  LoneQueue lone{rules};
  u64 steps{0}, taken{0};
};
INSTANTIATE_TEST_SUITE_P(Layouts, RingFuzz, testing::Bool(), layout_name);

TEST_P(RingFuzz, NothingADriverWritesIsMoreThanAnError) {
  const u64 rounds = from_environment("RHEA_RING_ROUNDS", 200'000);
  for (u64 n = 0; n < rounds; ++n) {
    const u64 what = random() % 4;
    what < 2 ? step() : what == 2 ? describe_something() : scribble();
  }
  EXPECT_GT(taken, steps / 200) << "of " << steps;
  EXPECT_GT(lone.broken, 0u);
}

}  // namespace
}  // namespace rhea::test
