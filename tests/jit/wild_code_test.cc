// SPDX-License-Identifier: GPL-2.0-or-later
// Random code in every mode: whatever a guest executes, the software processor stays whole and
// touches nothing but the guest's memory. The address sanitizer looks too; RHEA_CODE_BLOCKS says
// how many blocks to execute, RHEA_CODE_SEED where to begin.
#include "target/x86/interp/native_form.h"
#include "tests/jit/wild_guest.h"
#include "tests/support/environment.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace rhea::test {
namespace {

constexpr u64 kUsualBlocks = 100'000;
constexpr unsigned kRunsOfASeed = 8, kBlocksOfARun = 40, kSecondsOfASeed = 60;

// A crash or a hang says which seed it was.
std::array<char, 64> g_last_words{};
void say_last_words(int number) {
  static_cast<void>(!write(STDERR_FILENO, g_last_words.data(), std::strlen(g_last_words.data())));
  signal(number, SIG_DFL);
  raise(number);
}

class LastWords {
 public:
  LastWords() {
    for (const int number : kSignals) signal(number, &say_last_words);
  }
  ~LastWords() {
    alarm(0);
    for (const int number : kSignals) signal(number, SIG_DFL);
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

  static void begin(u64 seed) {
    fmt::format_to_n(g_last_words.data(), g_last_words.size() - 1, "RHEA_CODE_SEED={}\n\0", seed);
    alarm(kSecondsOfASeed);
  }

 private:
  static constexpr std::array<int, 2> kSignals{SIGABRT, SIGALRM};
};

u64 resident_bytes() {
  std::ifstream file("/proc/self/statm");
  u64 whole = 0, resident = 0;
  file >> whole >> resident;
  return resident * kPageSize;
}

TEST(WildCode, LeavesTheProcessorWholeAndTheHostAlone) {
  const u64 wanted = from_environment("RHEA_CODE_BLOCKS", kUsualBlocks);
  u64 seed = from_environment("RHEA_CODE_SEED", 1);
  const LastWords words;
  WildGuest guest(from_environment("RHEA_TRANSLATE", 0) != 0);
  u64 warm = 0;
  u64 blocks = 0;
  for (; blocks < wanted; ++seed) {
    LastWords::begin(seed);
    guest.start(seed);
    for (unsigned i = 0; i < kRunsOfASeed; ++i) {
      blocks += guest.run(kBlocksOfARun);
      guest.disturb();
    }
    ASSERT_EQ(guest.damage(), "") << "seed " << seed;
    if (warm == 0 && blocks > wanted / 2) warm = resident_bytes();
  }
  RecordProperty("blocks", std::to_string(blocks));
  // What is decoded is dropped from time to time; the sanitizers keep freed memory for a while.
  EXPECT_LT(resident_bytes(), warm + 512 * MiB);
  EXPECT_LT(x86::interp::native_code_size(), 64 * MiB);
}

}  // namespace
}  // namespace rhea::test
