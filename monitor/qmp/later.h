// SPDX-License-Identifier: GPL-2.0-or-later
// An answer that comes later: the command has begun something that the main loop goes on with.
#pragma once

#include "monitor/qmp/json_text.h"

#include <functional>
#include <optional>

namespace rhea::qmp {

/// Shared by who works and who waits; either may go first. Main thread only.
class Later {
 public:
  using Callback = std::function<void(const Result<Json>&)>;

  /// The worker's, once.
  void finish(Result<Json> result) {
    result_ = std::move(result);
    tell();
  }
  /// The same for work without an answer of its own: an empty one, or the error.
  void finish_work(const Result<>& work) {
    finish(work ? Result<Json>(Json()) : std::unexpected(work.error()));
  }
  /// The waiter's; null: nobody waits any more.
  void on_finish(Callback callback) {
    callback_ = std::move(callback);
    tell();
  }

 private:
  void tell() {
    if (!result_ || !callback_) return;
    const Callback callback = std::exchange(callback_, nullptr);
    callback(*result_);
  }

  std::optional<Result<Json>> result_;
  Callback callback_;
};

}  // namespace rhea::qmp
