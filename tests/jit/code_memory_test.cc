// SPDX-License-Identifier: GPL-2.0-or-later
// One bound for the decoded code of all processors.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace rhea::test {
namespace {

TEST(JitCodeMemory, CountsWhatArenasHaveUntilTheyAreCleared) {
  jit::CodeMemory memory(MiB);
  jit::CodeArena one(memory);
  {
    jit::CodeArena other(memory);
    one.array<u8>(100);
    other.array<u64>(100'000);
    EXPECT_GE(one.size(), 100U);
    EXPECT_GE(other.size(), 800'000U);
    EXPECT_EQ(memory.size(), one.size() + other.size());
    EXPECT_TRUE(memory.over());
  }
  EXPECT_EQ(memory.size(), one.size());
  one.clear();
  EXPECT_EQ(memory.size(), 0U);
}

TEST(JitCodeMemory, PiecesDoNotOverlapAndAreAligned) {
  jit::CodeMemory memory;
  jit::CodeArena arena(memory);
  u8* const first = arena.array<u8>(3);
  u64* const second = arena.array<u64>(2);
  EXPECT_GE(reinterpret_cast<u8*>(second), first + 3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % alignof(u64), 0U);
}

/// KiB that are resident of mappings to write host code.
u64 resident_to_write() {
  std::ifstream smaps("/proc/self/smaps");
  u64 sum = 0;
  bool code = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find('-') < line.find(' '))
      code = line.contains("rw-s") && line.contains("rhea-translated-code");
    if (code && line.starts_with("Rss:")) sum += std::stoull(line.substr(4));
  }
  return sum;
}

TEST(JitCodeMemory, HostCodeIsResidentWhereItIsExecutedAlone) {
  jit::CodeMemory memory;
  jit::CodeBuffer buffer(4 * MiB, memory);
  const u64 before = resident_to_write();
  const std::span<u8> code = buffer.room().first(3 * MiB);
  std::ranges::fill(code, u8{0x90});
  buffer.take(code.size());
  EXPECT_EQ(resident_to_write(), before);
  EXPECT_EQ(*buffer.executable(&code.back()), 0x90);
}

constexpr unsigned kCpus = 8;
/// So many times as much as there is room for is what all of them decode.
constexpr std::size_t kBound = 8 * MiB;

/// Processors that each go through code of their own for ever: 64 KiB of NOPs in a segment.
void load_distinct_code(JitGuest& guest, unsigned cpu) {
  const u64 start = 0x1'0000 * (cpu + 1);
  std::ranges::fill_n(guest.memory() + start, 0x1'0000, u8{0x90});
  const u8 end[] = {0xe6, 0x80, 0xe9, 0xfb, 0x00};  // fff0: out 0x80, al; jmp 0x00f0
  std::ranges::copy(end, guest.memory() + start + 0xfff0);
  guest.load({0xea, 0x00, 0x00, 0x00, static_cast<u8>(start >> 12)}, cpu);  // jmp segment:0
}

TEST(JitCodeMemory, ProcessorsWithDistinctCodeKeepToOneBound) {
  JitGuest guest(kCpus);
  guest.vm().code_memory().set_most(kBound);
  for (unsigned cpu = 0; cpu < kCpus; ++cpu) load_distinct_code(guest, cpu);
  guest.start();
  std::size_t most = 0;
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, guest.vm().code_memory().size());
    return guest.written_count() >= 5 * kCpus;
  }));
  // What comes while another is asked to make room.
  EXPECT_LE(most, kBound + kCpus * MiB);
  EXPECT_GE(most, kBound / 2);
}

}  // namespace
}  // namespace rhea::test
