// SPDX-License-Identifier: GPL-2.0-or-later
// The entropy device: what its buffers get, and when.
#include "softmmu/user_objects.h"
#include "tests/support/fake_rng.h"
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr u64 kBytes = 0x2'0000;
constexpr i64 kMs = 1'000'000;

class VirtioRngTest : public testing::Test {
 protected:
  VirtioRngTest() { source.there = 1000; }
  void use(const Properties& more = {}, u64 features = kVersion1) {
    Properties properties = more;
    properties.emplace_back("rng", "source");
    driver.emplace(bench, "virtio-rng-pci", properties);
    ring = driver->start(features);
  }
  u16 ask(u32 bytes) {
    const u16 id = ring->add({{kBytes, bytes, true}});
    driver->notify(0);
    return id;
  }
  Bench bench;
  FakeRng& source = FakeRng::make(bench.machine(), "source");
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> ring;
};

TEST_F(VirtioRngTest, FillsABuffer) {
  use();
  const u16 id = ask(4);
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 4}));
  EXPECT_THAT(bench.read(kBytes, 5), ElementsAre(1, 2, 3, 4, 0));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(VirtioRngTest, FillsThoseOfAPackedRing) {
  use({{"packed", "on"}}, kVersion1 | kPacked);
  const u16 id = ask(4);
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 4}));
}

TEST_F(VirtioRngTest, FillsABufferOfManyPieces) {
  use();
  ring->add({{kBytes, 2, true}, {kBytes + 0x10, 1, true}, {kBytes + 0x20, 1, true}});
  driver->notify(0);
  EXPECT_THAT(bench.read(kBytes, 2), ElementsAre(1, 2));
  EXPECT_THAT(bench.read(kBytes + 0x20, 1), ElementsAre(4));
}

TEST_F(VirtioRngTest, GivesWhatThereIs) {
  source.there = 3;
  use();
  const u16 id = ask(8);
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 3}));
}

TEST_F(VirtioRngTest, WaitsForItsSource) {
  source.there = 0;
  use();
  const u16 id = ask(8);
  EXPECT_EQ(ring->take_used(), std::nullopt);
  source.bring(5);
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 5}));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(VirtioRngTest, AHugeBufferGetsAPageAtATime) {
  source.there = 100'000;
  use();
  const u16 id = ask(1 << 20);
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 4096}));
}

TEST_F(VirtioRngTest, GivesNoMoreThanThePeriodAllows) {
  use({{"max-bytes", "6"}, {"period", "100"}});
  ask(4);
  ask(4);
  ask(4);
  EXPECT_EQ(ring->take_used()->written, 4u);
  EXPECT_EQ(ring->take_used()->written, 2u);
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.advance(99 * kMs);
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.advance(1 * kMs);
  EXPECT_EQ(ring->take_used()->written, 4u);
}

TEST_F(VirtioRngTest, AResetBeginsAnotherPeriod) {
  use({{"max-bytes", "6"}, {"period", "100"}});
  ask(6);
  ring = driver->start(kVersion1);
  bench.store(ring->place().driver, 0, 4);
  bench.store(ring->place().device, 0, 4);
  ask(6);
  EXPECT_EQ(ring->take_used()->written, 6u);
}

TEST_F(VirtioRngTest, ASavedPeriodGoesOn) {
  use({{"max-bytes", "6"}, {"period", "100"}});
  ask(4);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  ring->take_used();
  ask(4);
  EXPECT_EQ(ring->take_used()->written, 2u);
}

TEST_F(VirtioRngTest, ABufferOfNothingComesBack) {
  use();
  const u16 id = ring->add({{kBytes, 16}});
  driver->notify(0);
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 0}));
}

TEST_F(VirtioRngTest, ABufferInRegistersBreaksTheQueue) {
  use();
  ring->add({{VirtioPciDriver::kModern, 16, true}});
  driver->notify(0);
  EXPECT_EQ(driver->status() & hw::VirtioCore::kNeedsReset, hw::VirtioCore::kNeedsReset);
  EXPECT_EQ(driver->take_interrupt_status(), hw::VirtioCore::kConfigInterrupt);
  ring->add({{kBytes, 16, true}});
  driver->notify(0);
  EXPECT_EQ(ring->take_used(), std::nullopt);
  ring = driver->start(kVersion1);
  EXPECT_EQ(driver->status() & hw::VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioRngTest, MoreThanOneTurnsWorkIsDoneInSeveral) {
  use();
  ring->add({{kBytes, 1, true}});
  for (unsigned n = 0; n < 7; ++n) ring->add({{kBytes, 1, true}});
  driver->notify(0);
  for (unsigned n = 0; n < 8; ++n) EXPECT_NE(ring->take_used(), std::nullopt) << n;
  ring->add({{kBytes, 1, true}});
  EXPECT_EQ(ring->take_used(), std::nullopt) << "nobody has notified";
  bench.machine().loop().iterate(false);
  EXPECT_NE(ring->take_used(), std::nullopt) << "a whole turn's work is looked after once more";
}

TEST_F(VirtioRngTest, ItsSourceCannotBeDeletedMeanwhile) {
  use();
  EXPECT_THAT(remove_user_object(bench.machine(), "source").error().message(), HasSubstr("in use"));
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  EXPECT_TRUE(remove_user_object(bench.machine(), "source"));
}

TEST_F(VirtioRngTest, AnUnpluggedOneHearsNothing) {
  source.there = 0;
  use();
  ask(8);
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  source.bring(8);
  EXPECT_THAT(bench.read(kBytes, 8), Each(0));
}

TEST_F(VirtioRngTest, WithoutASourceItHasOneOfItsOwn) {
  VirtioPciDriver plain(bench, "virtio-rng-pci");
  ring = plain.start(kVersion1);
  ring->add({{kBytes, 64, true}});
  plain.notify(0);
  EXPECT_EQ(ring->take_used()->written, 64u);
  EXPECT_THAT(bench.read(kBytes, 64), testing::Not(Each(0)));
}

TEST_F(VirtioRngTest, APeriodOfNothingIsRefused) {
  const auto made = bench.try_add("virtio-rng-pci", {{"period", "0"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("'period' parameter"));
}

TEST_F(VirtioRngTest, MoreThanAreCountedAreRefused) {
  const auto made = bench.try_add("virtio-rng-pci", {{"max-bytes", "9223372036854775808"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("'max-bytes' parameter"));
}

TEST_F(VirtioRngTest, AFileIsASource) {
  ASSERT_TRUE(add_user_object(bench.machine(), "rng-random",
                              {{"filename", std::string("/dev/zero")}}, "zeroes"));
  bench.write(kBytes, std::vector<u8>(8, 0xaa));
  VirtioPciDriver reader(bench, "virtio-rng-pci", {{"rng", "zeroes"}});
  ring = reader.start(kVersion1);
  ring->add({{kBytes, 8, true}});
  reader.notify(0);
  ASSERT_TRUE(bench.run_until([&] { return reader.interrupted(); }));
  EXPECT_EQ(ring->take_used()->written, 8u);
  EXPECT_THAT(bench.read(kBytes, 8), Each(0));
}

TEST_F(VirtioRngTest, AFileThatEndsKeepsBuffersWaiting) {
  ASSERT_TRUE(add_user_object(bench.machine(), "rng-random",
                              {{"filename", std::string("/dev/null")}}, "nothing"));
  VirtioPciDriver reader(bench, "virtio-rng-pci", {{"rng", "nothing"}});
  ring = reader.start(kVersion1);
  ring->add({{kBytes, 8, true}});
  reader.notify(0);
  EXPECT_EQ(ring->take_used(), std::nullopt);
  EXPECT_TRUE(bench.machine().unplug(reader.device()));
}

TEST_F(VirtioRngTest, AFileThatIsNotThereIsAnError) {
  const auto made = add_user_object(bench.machine(), "rng-random",
                                    {{"filename", std::string("/nowhere")}}, "none");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace rhea::test
