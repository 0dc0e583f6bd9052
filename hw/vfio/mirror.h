// SPDX-License-Identifier: GPL-2.0-or-later
// Something that the server is told of whenever it changes, without anybody waiting for it.
#pragma once

#include "hw/vfio/link.h"

#include <functional>
#include <utility>

namespace rhea::hw::vfio {

/// One round of messages at a time: what changes meanwhile goes with the next, so that a guest that
/// changes it over and over is not told of faster than the server answers. Under the machine's
/// lock.
class Mirror {
 public:
  /// `tell` posts the difference to what the server knows, each message with answered() as handler.
  void init(std::function<void()> tell) {
    tell_ = std::move(tell);
    outstanding_ = 0;
    changed_ = false;
  }
  void changed() {
    changed_ = true;
    go_on();
  }
  /// `check` says whether the reply makes sense.
  std::function<bool(Message&)> answered(std::function<bool(Message&)> check = nullptr) {
    ++outstanding_;
    return [this, check = std::move(check)](Message& reply) {
      --outstanding_;
      if (check && !check(reply)) return false;
      go_on();
      return true;
    };
  }

 private:
  void go_on() {
    if (outstanding_ == 0 && std::exchange(changed_, false)) tell_();
  }

  std::function<void()> tell_;
  unsigned outstanding_{0};
  bool changed_{false};
};

}  // namespace rhea::hw::vfio
