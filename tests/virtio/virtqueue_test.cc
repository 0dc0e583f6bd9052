// SPDX-License-Identifier: GPL-2.0-or-later
// What both layouts of virtqueues do for a driver that keeps the rules.
#include "rhea/qom/state.h"
#include "tests/virtio/queue_fixture.h"

#include <gmock/gmock.h>

namespace rhea::test {
namespace {

using hw::Popped;
using testing::ElementsAre;
using testing::HasSubstr;

class EitherRing : public testing::TestWithParam<bool> {
 protected:
  static hw::RingRules rules() {
    return {.packed = GetParam(), .indirect = true, .event_index = true};
  }
  LoneQueue lone{rules()};
};

INSTANTIATE_TEST_SUITE_P(Layouts, EitherRing, testing::Bool(), layout_name);

TEST_P(EitherRing, AnEmptyOneHasNothing) { EXPECT_EQ(lone.pop(), Popped::None); }

TEST_P(EitherRing, ABufferIsReadAndWritten) {
  lone.bench.write(kData, std::vector<u8>{1, 2, 3, 4});
  lone.driver->add(
      {{kData, 2}, {kData + 2, 2}, {kData + 0x100, 3, true}, {kData + 0x200, 3, true}});
  ASSERT_EQ(lone.pop(), Popped::One);
  EXPECT_EQ(lone.buffer.out_bytes, 4u);
  EXPECT_EQ(lone.buffer.in_bytes, 6u);
  std::array<u8, 3> read{};
  EXPECT_TRUE(lone.queue.read(lone.buffer, 1, read));
  EXPECT_THAT(read, ElementsAre(2, 3, 4));
  EXPECT_TRUE(lone.queue.write(lone.buffer, 2, std::vector<u8>{7, 8, 9}));
  EXPECT_THAT(lone.bench.read(kData + 0x100, 3), ElementsAre(0, 0, 7));
  EXPECT_THAT(lone.bench.read(kData + 0x200, 3), ElementsAre(8, 9, 0));
}

TEST_P(EitherRing, BuffersComeBackWithTheirIdAndLength) {
  const u16 first = lone.driver->add({{kData, 16, true}, {kData, 16, true}});
  const u16 second = lone.driver->add({{kData, 16, true}});
  ASSERT_EQ(lone.echo(17), Popped::One);
  ASSERT_EQ(lone.echo(0), Popped::One);
  EXPECT_EQ(lone.driver->take_used(), (UsedBuffer{.id = first, .written = 17}));
  EXPECT_EQ(lone.driver->take_used(), (UsedBuffer{.id = second, .written = 0}));
  EXPECT_EQ(lone.driver->take_used(), std::nullopt);
}

TEST_P(EitherRing, ItGoesRoundManyTimes) {
  unsigned good = 0;
  for (unsigned n = 0; n < 70'000; ++n) {
    const u16 id = lone.driver->add({{kData, 4}, {kData, 4, true}, {kData, 4, true}});
    good += lone.echo(n) == Popped::One &&
            lone.driver->take_used() == UsedBuffer{.id = id, .written = n};
  }
  EXPECT_EQ(good, 70'000u);
}

TEST_P(EitherRing, BuffersMayComeBackInAnyOrder) {
  const u16 first = lone.driver->add({{kData, 16, true}});
  const u16 second = lone.driver->add({{kData, 16, true}});
  hw::VirtBuffer one, two;
  ASSERT_EQ(lone.queue.pop(one), Popped::One);
  ASSERT_EQ(lone.queue.pop(two), Popped::One);
  lone.queue.push(two, 2);
  lone.queue.push(one, 1);
  EXPECT_EQ(lone.driver->take_used(), (UsedBuffer{.id = second, .written = 2}));
  EXPECT_EQ(lone.driver->take_used(), (UsedBuffer{.id = first, .written = 1}));
}

TEST_P(EitherRing, InOrderTheyComeBackAsTheyWent) {
  hw::RingRules in_order = rules();
  in_order.in_order = true;
  LoneQueue ordered(in_order);
  const u16 first = ordered.driver->add({{kData, 16, true}});
  const u16 second = ordered.driver->add({{kData, 16, true}});
  hw::VirtBuffer one, two;
  ASSERT_EQ(ordered.queue.pop(one), Popped::One);
  ASSERT_EQ(ordered.queue.pop(two), Popped::One);
  ordered.queue.push(two, 2);
  EXPECT_EQ(ordered.driver->take_used(), std::nullopt);
  ordered.queue.push(one, 1);
  EXPECT_EQ(ordered.driver->take_used(), (UsedBuffer{.id = first, .written = 1}));
  EXPECT_EQ(ordered.driver->take_used(), (UsedBuffer{.id = second, .written = 2}));
}

TEST_P(EitherRing, OneThatWasNotUsedIsTheNextAgain) {
  lone.driver->add({{kData, 1}, {kData, 2, true}});
  lone.driver->add({{kData, 3}});
  ASSERT_EQ(lone.pop(), Popped::One);
  const u16 id = lone.buffer.id;
  lone.queue.undo_pop(lone.buffer);
  ASSERT_EQ(lone.pop(), Popped::One);
  EXPECT_EQ(lone.buffer.id, id);
  EXPECT_EQ(lone.buffer.in_bytes, 2u);
}

TEST_P(EitherRing, AnIndirectTableIsOneDescriptorOfTheRing) {
  std::vector<Piece> pieces(100, {.address = kData, .length = 10, .write = true});
  const u16 id = lone.driver->add_indirect(pieces, kTable);
  ASSERT_EQ(lone.pop(), Popped::One);
  EXPECT_EQ(lone.buffer.in_bytes, 1000u);
  lone.queue.push(lone.buffer, 1000);
  EXPECT_EQ(lone.driver->take_used(), (UsedBuffer{.id = id, .written = 1000}));
}

TEST_P(EitherRing, DescriptorsOfNothingAreNothing) {
  lone.driver->add({{kData, 0}, {kData, 5}, {kData, 0, true}});
  ASSERT_EQ(lone.pop(), Popped::One);
  EXPECT_EQ(lone.buffer.out_bytes, 5u);
  EXPECT_EQ(lone.buffer.in_bytes, 0u);
}

TEST_P(EitherRing, AnEmptyOneAsksToHearOfTheNext) {
  EXPECT_EQ(lone.pop(), Popped::None);
  EXPECT_TRUE(lone.driver->device_asks_for_next());
  lone.driver->add({{kData, 1}});
  EXPECT_EQ(lone.echo(), Popped::One);
  EXPECT_FALSE(lone.driver->device_asks_for_next());
  EXPECT_EQ(lone.pop(), Popped::None);
  EXPECT_TRUE(lone.driver->device_asks_for_next());
}

TEST_P(EitherRing, TheDriverHearsWhenItWantsTo) {
  lone.driver->want_interrupt_after(2);
  lone.driver->add({{kData, 1}});
  ASSERT_EQ(lone.echo(), Popped::One);
  EXPECT_FALSE(lone.queue.wants_interrupt());
  lone.driver->add({{kData, 1}});
  ASSERT_EQ(lone.echo(), Popped::One);
  EXPECT_TRUE(lone.queue.wants_interrupt());
  EXPECT_FALSE(lone.queue.wants_interrupt()) << "it was told";
}

TEST_P(EitherRing, TheDriverHearsOfTheEighthAcrossTheEndOfTheRing) {
  unsigned told_at = 0;
  for (unsigned n = 1; n <= 6; ++n) {
    lone.driver->add({{kData, 1}});
    lone.echo();
    lone.driver->take_used();
  }
  lone.queue.wants_interrupt();
  lone.driver->want_interrupt_after(5);
  for (unsigned n = 1; n <= 8; ++n) {
    lone.driver->add({{kData, 1}});
    lone.echo();
    if (lone.queue.wants_interrupt()) told_at = told_at * 10 + n;
  }
  EXPECT_EQ(told_at, 5u);
}

TEST_P(EitherRing, WithoutEventIndexItHearsOfAllOrNothing) {
  hw::RingRules plain = rules();
  plain.event_index = false;
  LoneQueue queue(plain);
  queue.driver->add({{kData, 1}});
  queue.echo();
  EXPECT_TRUE(queue.queue.wants_interrupt());
  queue.driver->want_interrupts(false);
  queue.driver->add({{kData, 1}});
  queue.echo();
  EXPECT_FALSE(queue.queue.wants_interrupt());
  queue.driver->want_interrupts(true);
  EXPECT_FALSE(queue.queue.wants_interrupt()) << "nothing has come since";
}

TEST_P(EitherRing, ASavedOneGoesOn) {
  for (unsigned n = 0; n < 5; ++n) {
    lone.driver->add({{kData, 1}, {kData, 1}, {kData, 1}});
    lone.echo();
    lone.driver->take_used();
  }
  StateWriter out;
  StateCodec<hw::VirtQueue>::save(lone.queue, out);
  hw::VirtQueue loaded;
  loaded.init(lone, 0, 8);
  StateReader in(out.data());
  ASSERT_TRUE(
      StateCodec<hw::VirtQueue>::load(loaded, in, {.name = "queue", .save = {}, .load = {}}));
  ASSERT_TRUE(loaded.check_loaded());
  const u16 id = lone.driver->add({{kData, 1}, {kData, 1, true}});
  ASSERT_EQ(loaded.pop(lone.buffer), Popped::One);
  loaded.push(lone.buffer, 1);
  EXPECT_EQ(lone.driver->take_used(), (UsedBuffer{.id = id, .written = 1}));
}

TEST_P(EitherRing, AResetOneBeginsAgain) {
  lone.driver->add({{kData, 1}});
  lone.echo();
  lone.queue.reset();
  EXPECT_FALSE(lone.queue.enabled());
  EXPECT_EQ(lone.queue.entries(), lone.queue.most_entries());
  EXPECT_EQ(lone.queue.address(hw::VirtQueue::Area::Device), 0u);
}

TEST(SplitRing, AnIndirectTableMayFollowDirectDescriptors) {
  LoneQueue lone({.indirect = true});
  const u16 id =
      lone.split().add_mixed({{kData, 1}, {kData, 2}}, {{kData, 4}, {kData, 8, true}}, kTable);
  ASSERT_EQ(lone.pop(), Popped::One);
  EXPECT_EQ(lone.buffer.id, id);
  EXPECT_EQ(lone.buffer.out_bytes, 7u);
  EXPECT_EQ(lone.buffer.in_bytes, 8u);
}

TEST(SplitRing, ALegacyDriverMayWantToHearThatItIsEmpty) {
  LoneQueue lone({.notify_on_empty = true});
  lone.driver->want_interrupts(false);
  lone.driver->add({{kData, 1}});
  lone.driver->add({{kData, 1}});
  lone.echo();
  EXPECT_FALSE(lone.queue.wants_interrupt());
  lone.echo();
  EXPECT_TRUE(lone.queue.wants_interrupt());
}

TEST(SplitRing, LegacyDriversGiveOnePageNumber) {
  LoneQueue lone({}, 256);
  lone.queue.set_legacy_address(0x10'0000, 4096);
  EXPECT_EQ(lone.queue.address(hw::VirtQueue::Area::Descriptors), 0x10'0000u);
  EXPECT_EQ(lone.queue.address(hw::VirtQueue::Area::Driver), 0x10'1000u);
  EXPECT_EQ(lone.queue.address(hw::VirtQueue::Area::Device), 0x10'2000u);
}

TEST(PackedRing, ItsSizeIsAnyNumber) {
  LoneQueue lone({.packed = true});
  EXPECT_TRUE(lone.queue.accepts(5));
  EXPECT_FALSE(lone.queue.accepts(0));
  EXPECT_FALSE(lone.queue.accepts(9));
  LoneQueue split({});
  EXPECT_FALSE(split.queue.accepts(5));
}

TEST(PackedRing, ItsDescriptorsSayWhetherTheDeviceWrote) {
  LoneQueue lone({.packed = true});
  lone.driver->add({{kData, 1, true}});
  lone.echo(1);
  EXPECT_EQ(lone.bench.load(lone.place.descriptors + 14, 2) & 2, 2u);
  lone.driver->add({{kData, 1, true}});
  lone.echo(0);
  EXPECT_EQ(lone.bench.load(lone.place.descriptors + 16 + 14, 2) & 2, 0u);
}

}  // namespace
}  // namespace rhea::test
