// SPDX-License-Identifier: GPL-2.0-or-later
// A QMP server on a chardev.
#pragma once

#include "monitor/conversation.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/framer.h"

namespace rhea::qmp {

/// Serves one client after another on its chardev; each starts with the greeting.
class Session final : public monitor::Conversation {
 public:
  Session(Machine& machine, Chardev& chardev, bool pretty)
      : Conversation(machine, chardev), pretty_(pretty) {}

  Result<> start();
  /// To clients that have negotiated.
  void send_event(const Json& event);

 private:
  void cut(std::span<const u8> data, std::deque<Piece>& pieces) override;
  void hear(const Piece& message) override;
  void begin() override;
  void send(const std::string& text) { say(text + "\r\n"); }

  bool pretty_;
  Client client_;
  Framer framer_;
};

/// {"QMP": {"version": …}}
Json greeting();
/// The object that query-version returns.
Json version();

}  // namespace rhea::qmp
