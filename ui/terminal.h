// SPDX-License-Identifier: GPL-2.0-or-later
// The terminal that the program was started in, taken over for a while.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"

#include <string>
#include <string_view>

namespace rhea::ui {

struct TerminalSize {
  int columns{}, rows{};
  friend bool operator==(const TerminalSize&, const TerminalSize&) = default;
};

/// Raw mode and the alternate screen, undone by the destructor, at exit, and by signals that kill.
/// One at a time.
class Terminal {
 public:
  Terminal() = default;
  ~Terminal() { close(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Why there is no terminal that could show a screen: standard input and output are none, or TERM
  /// names one that cannot.
  static Result<> available();
  /// Fails as available() does, or when it is in use.
  Result<> open();
  void close();
  int input() const;
  TerminalSize size() const;
  /// Queues bytes and sends what the terminal takes now.
  void write(std::string_view bytes);
  /// Sends more of what waits; true when nothing is left.
  bool flush();
  /// Whether the terminal was taken away (the process stopped and went on) since the last call.
  bool take_continued();

 private:
  bool open_{false};
  FileDescriptor output_;  ///< not blocking, unlike the one that others share
  std::string waiting_;
};

}  // namespace rhea::ui
