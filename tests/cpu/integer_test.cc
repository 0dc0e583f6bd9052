// SPDX-License-Identifier: GPL-2.0-or-later
// Integer instructions are what the host's processor makes of them.
#include "target/x86/interp/bind.h"
#include "tests/cpu/integer_cases.h"
#include "tests/cpu/native_run.h"
#include "tests/support/environment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace rhea::x86 {
namespace {

/// Runs `action` in a process of its own and returns what it prints; a crash adds a line.
template <class Action>
std::string in_child(Action action) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = fork();
  if (child < 0) return "no child";
  if (child == 0) {
    close(ends[0]);
    const std::string text = action();
    const bool whole = write(ends[1], text.data(), text.size()) == ssize_t(text.size());
    _exit(whole ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) text += fmt::format("\nthe child ended with status {:#x}", status);
  return text;
}

struct Integer : testing::TestWithParam<NativeMode> {
  static void TearDownTestSuite() {
    if (!host_has_own_segments()) return;
    fmt::print("{} cases altogether\n", total);
    EXPECT_GE(total, test::from_environment("RHEA_CPU_LEAST", 0));
  }
  static inline u64 total = 0;
};

TEST_P(Integer, EveryFormDoesWhatTheHostDoes) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer keeps the signals that end an instruction to itself";
#endif
  if (!host_has_own_segments())
    GTEST_SKIP() << "this host's kernel does not own the processor's segments: it is no oracle";
  const u64 cases = test::from_environment("RHEA_CPU_CASES", 1000);
  const u64 seed = test::from_environment("RHEA_CPU_SEED", 1);
  const std::string text = in_child([&] {
    const IntegerReport report = compare_integer_rows(GetParam(), cases, seed);
    fmt::print("{} cases of {} forms, {} of them faults; {} strayed\n", report.cases, report.forms,
               report.faults, report.strayed);
    if (!report.thin.empty())
      fmt::print("fewer than half the cases:\n  {}\n", fmt::join(report.thin, "\n  "));
    std::fflush(stdout);
    return fmt::format("{}\n{}", report.cases, fmt::join(report.differences, "\n"));
  });
  const size_t line = text.find('\n');
  const u64 done = std::strtoull(text.c_str(), nullptr, 10);
  EXPECT_GT(done, 0U);
  total += done;
  EXPECT_EQ(text.substr(line + 1), "");
}

INSTANTIATE_TEST_SUITE_P(Modes, Integer, testing::ValuesIn(kNativeModes), [](const auto& test) {
  return fmt::format("Code{}", layout(test.param).code_bits);
});

}  // namespace
}  // namespace rhea::x86
