// SPDX-License-Identifier: GPL-2.0-or-later
// Packets to the debugger, as fast as it takes them.
#pragma once

#include "rhea/chardev/chardev.h"

#include <string>
#include <string_view>

namespace rhea::gdbstub {

/// Keeps what the peer does not take at once. Its user asks for no more input while something
/// waits, so that this stays as small as the answer to one request.
class PacketWriter {
 public:
  explicit PacketWriter(Chardev& chardev) : chardev_(&chardev) {}

  /// '+' or '-', unless the peer has renounced them.
  void acknowledge(bool good);
  /// The text may be binary: what needs it is escaped.
  void send(std::string_view text);
  /// The last packet again; nothing while it is still on its way.
  void repeat();
  /// There is room again.
  void flush();
  /// Waits for the peer in bounded slices: for the last packet of the machine.
  void flush_all();
  bool waiting() const { return sent_ < pending_.size(); }
  /// A new peer.
  void reset();
  /// From the next packet on there are no acknowledgements (QStartNoAckMode).
  void stop_acknowledging() { acknowledging_ = false; }
  bool acknowledging() const { return acknowledging_; }

 private:
  void write(std::string_view bytes);

  Chardev* chardev_;
  std::string pending_;
  std::size_t sent_{0};  ///< of pending_
  std::string last_;
  bool acknowledging_{true};
};

/// "text" with '$', '#', '}' and '*' escaped.
std::string escape(std::string_view text);

}  // namespace rhea::gdbstub
