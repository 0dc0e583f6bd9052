// SPDX-License-Identifier: GPL-2.0-or-later
// State of every device type: resets, snapshots, what was never written.
#include "rhea/softmmu/snapshot.h"
#include "tests/conformance/conformance.h"
#include "tests/conformance/guarded_heap.h"
#include "tests/conformance/state_stream.h"

#include <algorithm>

namespace rhea::test {
namespace {

TEST_P(Conformance, ASecondResetChangesNothing) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  Fuzzer(specimen, 1).run(500);
  specimen.bench().reset(ResetKind::Cold);
  const auto once = specimen.save();
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_EQ(specimen.save(), once);
}

TEST_P(Conformance, SaveLoadSaveIsByteIdentical) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  for (u64 seed = 1; seed <= 5; ++seed) {
    Fuzzer(specimen, seed).run(300);
    const auto stream = specimen.save();
    specimen.bench().reset();
    const auto loaded = specimen.load(stream);
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(specimen.save(), stream) << "seed " << seed;
  }
}

// Whoever joins several devices' lines into one must hear again what each says.
TEST_P(Conformance, InterruptsAreRepeatedAfterALoad) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  for (u64 seed = 1; seed <= 16; ++seed) {
    Fuzzer(specimen, seed).run(200);
    const auto stream = specimen.bench().save();
    const std::string lines = specimen.lines();
    specimen.bench().reset();
    specimen.bench().lower_lines();
    ASSERT_TRUE(specimen.bench().load(stream));
    ASSERT_EQ(specimen.lines(), lines) << "lines after a load, and before; seed " << seed;
  }
}

TEST_P(Conformance, TruncatedAndGarbledStatesAreRefused) {
  Specimen specimen(type());
  REQUIRE_ON_BENCH(specimen);
  const auto stream = specimen.save();
  const std::size_t step = std::max<std::size_t>(1, stream.size() / 512);
  for (std::size_t at = 0; at < stream.size(); at += step) {
    EXPECT_FALSE(specimen.load(std::span<const u8>(stream).first(at))) << "cut at " << at;
    auto bad = stream;
    bad[at] ^= 0x55;
    EXPECT_FALSE(specimen.load(bad)) << "flipped at " << at;
  }
  EXPECT_TRUE(specimen.load(stream));
}

// A stream with a right checksum and wrong values is refused, or the device can live with it.
TEST_P(Conformance, SurvivesStatesOfAnyValues) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  u64 seed = 0;
  for (const unsigned steps : {300, 500, 700}) {
    Fuzzer(specimen, steps).run(steps);
    const auto good = specimen.save();
    for (const auto& stream : spoiled(good, *specimen.device())) {
      const bool taken = specimen.load(stream).has_value();
      if (!taken) specimen.bench().reset(ResetKind::Cold);
      Fuzzer(specimen, ++seed).run(taken ? 600 : 5);
      ASSERT_TRUE(specimen.load(good)) << "its own state is refused";
    }
  }
}

// Two machines, one loaded from what the other saved, must do the same for ever after.
TEST_P(Conformance, LoadIsLikeSave) {
  Specimen original(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(original);
  guarded_heap::fill_with(0x5a);
  Specimen copy(type(), Specimen::Given::Everything);
  guarded_heap::fill_with(0xa5);
  for (u64 seed = 1; seed <= 40; ++seed) {
    // What was not saved is the same again after a reset.
    const bool resets = seed % 4 == 0;
    Fuzzer(original, seed, {.resets = resets}).run(500);
    // Into a machine that has been used, or one that is new.
    if (seed % 2 == 0) copy.bench().reset(ResetKind::Cold);
    copy.copy_peers(original);
    const auto loaded = copy.bench().load(original.bench().save());
    ASSERT_TRUE(loaded) << "its own state is refused: " << loaded.error().message();
    ASSERT_EQ(state_difference(copy.bench().machine(), original.bench().machine()), "")
        << "right after the load";
    ASSERT_EQ(copy.bench().machine().map().flat_text(),
              original.bench().machine().map().flat_text());
    // Nothing happens before the main loop has come round.
    original.bench().machine().loop().iterate(false);
    copy.bench().machine().loop().iterate(false);
    Fuzzer one(original, 1000 + seed, {.resets = resets, .compares = true});
    Fuzzer other(copy, 1000 + seed, {.resets = resets, .compares = true});
    one.run(500);
    guarded_heap::fill_with(0x5a);
    other.run(500);
    guarded_heap::fill_with(0xa5);
    ASSERT_EQ(first_difference(one, other, type().name), "")
        << "a machine that was saved and loaded does not do what its original does; seed " << seed;
    ASSERT_EQ(state_difference(copy.bench().machine(), original.bench().machine()), "");
    ASSERT_TRUE(original.bench().read(0, 512 * KiB) == copy.bench().read(0, 512 * KiB))
        << "memory differs; seed " << seed;
  }
}

TEST_P(Conformance, ResetIsLikeNew) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  Specimen fresh(type(), Specimen::Given::Everything);
  constexpr unsigned kRounds = 24;
  for (u64 seed = 1; seed <= kRounds; ++seed) {
    Fuzzer(specimen, seed).run(access_count(3000) / kRounds);
    fresh.bench().machine().virtual_clock().set_ns(
        specimen.bench().machine().virtual_clock().now_ns());
    fresh.bench().reset(ResetKind::Cold);
    specimen.bench().reset(ResetKind::Cold);
    ASSERT_EQ(specimen.lines(), fresh.lines()) << "lines that are high after a reset";
    ASSERT_EQ(state_difference(specimen.bench().machine(), fresh.bench().machine(),
                               StateWriter::Fields::SetByReset),
              "");
  }
}

TEST_P(Conformance, StartsTheSameInAnyMemory) {
  guarded_heap::fill_with(0x00);
  Specimen one(type(), Specimen::Given::Everything);
  guarded_heap::fill_with(0xff);
  Specimen other(type(), Specimen::Given::Everything);
  guarded_heap::fill_with(0xa5);
  REQUIRE_ON_BENCH(one);
  EXPECT_EQ(state_difference(one.bench().machine(), other.bench().machine()), "")
      << "nobody wrote it before it was read";
  Fuzzer first(one, 31, {.compares = true});
  Fuzzer second(other, 31, {.compares = true});
  first.run(300);
  second.run(300);
  EXPECT_EQ(first_difference(first, second, type().name), "") << "it depends on what memory held";
}

// While the guest is stopped, the host's time goes on. (What tells the date may go by the wall
// clock.)
TEST_P(Conformance, StandsStillWithTheGuest) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  Machine& machine = specimen.bench().machine();
  Fuzzer(specimen, 41).run(600);
  const auto before = specimen.save();
  const std::string lines = specimen.lines();
  Clock& clock = machine.realtime_clock();
  clock.advance_to(clock.now_ns() + 3600 * kNsPerSecond);
  EXPECT_TRUE(specimen.save() == before) << "its state changes with the host's time";
  EXPECT_EQ(specimen.lines(), lines) << "its lines change with the host's time";
}

}  // namespace
}  // namespace rhea::test
