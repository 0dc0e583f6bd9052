// SPDX-License-Identifier: GPL-2.0-or-later
// Counters of an 8254 between the kernel's form and the software device's.
#include "accel/kvm/pit_counter.h"

#include "hw/timer/i8254_counter.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using kvm::PitCounter;

constexpr u64 kNow = 1'000'000;

kvm_pit_channel_state programmed(u8 mode, u32 count) {
  kvm_pit_channel_state in{};
  in.count = count;
  in.mode = mode;
  in.rw_mode = 3;
  in.gate = 1;
  in.read_state = 3;
  in.write_state = 3;
  return in;
}

/// The same state in the other's form.
template <class To, class From>
To carried_over(const From& from) {
  StateWriter out;
  StateCodec<From>::save(from, out);
  To to;
  StateReader in(out.data());
  const StateField field{.name = "counter", .save = {}, .load = {}};
  const auto loaded = StateCodec<To>::load(to, in, field);
  EXPECT_TRUE(loaded) << loaded.error().message();
  EXPECT_TRUE(in.at_end());
  return to;
}

u16 read_count(hw::I8254Counter counter, u64 now) {
  counter.latch_count(now);
  const unsigned low = counter.read(now);
  return static_cast<u16>(counter.read(now) << 8 | low);
}

TEST(PitCounterTest, TheKernelsCountGoesOnInSoftware) {
  const auto saved = PitCounter::from_kernel(programmed(2, 1000), 5250, kNow);
  const auto counter = carried_over<hw::I8254Counter>(saved);
  EXPECT_EQ(read_count(counter, kNow), 750);
  EXPECT_EQ(read_count(counter, kNow + 100), 650);
  EXPECT_EQ(counter.next_rise(kNow), kNow + 750);
}

TEST(PitCounterTest, AnEndedOneShotStaysEnded) {
  const auto saved = PitCounter::from_kernel(programmed(0, 1000), 5250, kNow);
  const auto counter = carried_over<hw::I8254Counter>(saved);
  EXPECT_TRUE(counter.output(kNow));
  EXPECT_EQ(counter.next_rise(kNow), std::nullopt);
}

TEST(PitCounterTest, ACounterThatWasNeverProgrammedIsAsFirmwareFindsIt) {
  kvm_pit_channel_state fresh{};
  fresh.mode = 0xff;
  fresh.count = 0x10000;
  fresh.gate = 1;
  const auto saved = PitCounter::from_kernel(fresh, 0, kNow);
  EXPECT_EQ(saved.mode, 3);
  carried_over<hw::I8254Counter>(saved);
}

TEST(PitCounterTest, SoftwaresCounterGoesIntoTheKernel) {
  hw::I8254Counter counter;
  counter.reset(0, true);
  counter.write_control(kNow, 0x34);
  counter.write_count(kNow, 0x34);
  counter.write_count(kNow, 0x12);
  counter.write_count(kNow, 0x78);  // and the first half of the next one
  const auto saved = carried_over<PitCounter>(counter);
  const kvm_pit_channel_state kernel = saved.to_kernel();
  EXPECT_EQ(kernel.count, 0x1234U);
  EXPECT_EQ(kernel.mode, 2);
  EXPECT_EQ(kernel.rw_mode, 3);
  EXPECT_EQ(kernel.write_state, 4);
  EXPECT_EQ(kernel.write_latch, 0x78);
  EXPECT_EQ(kernel.read_state, 3);
  EXPECT_EQ(kernel.gate, 1);
}

TEST(PitCounterTest, WhatTheKernelHasComesBackToIt) {
  kvm_pit_channel_state in = programmed(3, 0x10000);
  in.read_state = 4;
  in.status_latched = 1;
  in.status = 0x36;
  const auto out = PitCounter::from_kernel(in, 77, kNow).to_kernel();
  EXPECT_EQ(out.count, in.count);
  EXPECT_EQ(out.mode, in.mode);
  EXPECT_EQ(out.read_state, in.read_state);
  EXPECT_EQ(out.write_state, in.write_state);
  EXPECT_EQ(out.status, in.status);
  EXPECT_EQ(out.status_latched, in.status_latched);
}

}  // namespace
}  // namespace rhea::test
