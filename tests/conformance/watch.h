// SPDX-License-Identifier: GPL-2.0-or-later
// Says what was done to a device that never comes back, kills the program, or asks for memory
// without measure: one line that names the device and the access.
#pragma once

#include "tests/conformance/happening.h"

#include <string>
#include <string_view>

namespace rhea::test {

/// One at a time in a process: it has SIGALRM and the signals of crashes to itself. With a
/// sanitizer a crash is the sanitizer's to report, and the line follows.
class Watch {
 public:
  /// `seconds` is how long one thing may take.
  Watch(std::string_view device, unsigned seconds);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// The time counts anew.
  void begin(const Happening& happening);
  /// What happens now; for who ends the program: "edu: reset".
  static std::string now();
};

/// RHEA_HANG_SECONDS, or 20.
unsigned hang_seconds();

}  // namespace rhea::test
