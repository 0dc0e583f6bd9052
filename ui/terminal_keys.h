// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of a PC keyboard from the bytes that a terminal sends.
#pragma once

#include "rhea/ui/input.h"

#include <span>
#include <string>
#include <vector>

namespace rhea::ui {

/// What was typed: keys to press together, or a command for the emulator (the key after Ctrl-]).
struct Typed {
  std::vector<KeyNumber> keys;
  char command{};
  friend bool operator==(const Typed&, const Typed&) = default;
};

/// Understands ASCII as a US keyboard types it, control characters, Alt as an escape before a key,
/// and the sequences of xterm, VT220 and the Linux console for the other keys. Anything else is
/// dropped. Sequences have a bounded length.
class TerminalKeys {
 public:
  void feed(std::span<const u8> bytes, const std::function<void(const Typed&)>& typed);
  /// No more bytes came for a while: an escape that waits is the key.
  void flush(const std::function<void(const Typed&)>& typed);
  bool waiting() const { return !pending_.empty(); }

 private:
  enum class Verdict : u8 { Incomplete, Done };
  Verdict parse(const std::function<void(const Typed&)>& typed);

  std::string pending_;  ///< an escape sequence or UTF-8 character so far
  bool command_{false};  ///< Ctrl-] came
};

}  // namespace rhea::ui
