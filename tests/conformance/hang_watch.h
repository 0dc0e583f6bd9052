// SPDX-License-Identifier: GPL-2.0-or-later
// Ends a test whose device never comes back from an access, in one line that says which.
#pragma once

#include <unistd.h>

#include <csignal>
#include <string>

namespace rhea::test {

/// One at a time in a process: it has SIGALRM to itself.
class HangWatch {
 public:
  explicit HangWatch(unsigned seconds = 20) : seconds_(seconds) {
    std::signal(SIGALRM, [](int) {
      [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line().data(), line().size());
      ::_exit(1);
    });
  }
  ~HangWatch() {
    ::alarm(0);
    std::signal(SIGALRM, SIG_DFL);
  }
  HangWatch(const HangWatch&) = delete;
  HangWatch& operator=(const HangWatch&) = delete;

  /// The time counts anew; `what` is told if it runs out.
  void begin(std::string what) {
    ::alarm(0);
    line() = std::move(what) + ": never comes back\n";
    ::alarm(seconds_);
  }

 private:
  static std::string& line() {
    static std::string text;
    return text;
  }
  unsigned seconds_;
};

}  // namespace rhea::test
