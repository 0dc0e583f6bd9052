// SPDX-License-Identifier: GPL-2.0-or-later
// What a drive does about errors of the host: report, ignore, or stop the machine (rerror=,
// werror=).
#pragma once

#include "rhea/block/block_backend.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::block {

/// "report", "ignore", "stop", and for writes "enospc", as -drive takes them.
Result<OnError> parse_on_error(const std::string& text, bool read);

/// Whether the host had no room.
bool is_no_space(const Error& error);

/// A drive's part of it. Under the machine's lock.
class DriveErrors {
 public:
  ErrorPolicy policy;
  bool in_force{false};  ///< the device makes requests again
  ErrorAction action{};  ///< of the completion under way

  ErrorAction decide(bool read, const Error& error) const;
  /// Whether an error can stop the machine.
  bool may_stop() const;
  void note_stop(const Error& error) { status_ = is_no_space(error) ? "nospace" : "failed"; }
  std::string_view status() const { return may_stop() ? status_ : std::string_view(); }

  void when_running(std::function<void()> then) { held_.push_back(std::move(then)); }
  /// The machine runs again.
  void go_on();

 private:
  std::string_view status_{"ok"};
  std::vector<std::function<void()>> held_;
};

}  // namespace rhea::block
