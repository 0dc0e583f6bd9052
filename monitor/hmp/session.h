// SPDX-License-Identifier: GPL-2.0-or-later
// A monitor for people on a chardev.
#pragma once

#include "monitor/conversation.h"
#include "monitor/hmp/command.h"
#include "monitor/hmp/line_editor.h"

namespace rhea::hmp {

class Session final : public monitor::Conversation {
 public:
  Session(Machine& machine, Chardev& chardev);

 private:
  void cut(std::span<const u8> data, std::deque<Piece>& pieces) override;
  void hear(const Piece& keys) override;
  void begin() override;
  void shown(bool now) override;
  void greet();
  void run(const std::string& line);
  /// With a carriage return before each line end.
  void show(std::string_view text);

  bool greeted_{false};
  bool shown_{true};  ///< false while a mux shows somebody else
  View view_;
  qmp::Client client_;
  LineEditor editor_;
};

/// Runs lines for somebody without a session, and says what they print.
std::function<std::string(const std::string&)> command_runner(Machine& machine);
/// "Error" aside, what a command line prints, for human-monitor-command.
std::string with_carriage_returns(std::string_view text);

}  // namespace rhea::hmp
