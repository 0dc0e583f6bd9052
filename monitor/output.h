// SPDX-License-Identifier: GPL-2.0-or-later
// Bounded output to a monitor's client.
#pragma once

#include "rhea/chardev/chardev.h"

#include <string>
#include <string_view>

namespace rhea::monitor {

/// Sends what the peer takes and keeps the rest. A peer that lets more than 16 MiB wait is
/// disconnected.
class Output {
 public:
  explicit Output(Chardev& chardev) : chardev_(&chardev) {}

  void write(std::string_view text);
  /// The peer is another chardev's from now on.
  void move_to(Chardev& chardev) { chardev_ = &chardev; }
  /// There is room again.
  void flush();
  /// Waits for the peer in bounded slices; for the end of the program.
  void flush_all();
  /// A new peer: forget what the last one did not read.
  void reset();
  std::size_t pending() const { return pending_.size() - sent_; }

 private:
  Chardev* chardev_;
  std::string pending_;
  std::size_t sent_{0};  ///< of pending_
  bool dropped_{false};  ///< until the next peer
};

}  // namespace rhea::monitor
