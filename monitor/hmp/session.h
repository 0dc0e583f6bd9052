// SPDX-License-Identifier: GPL-2.0-or-later
// A monitor for people on a chardev.
#pragma once

#include "monitor/hmp/command.h"
#include "monitor/hmp/line_editor.h"
#include "monitor/output.h"

namespace rhea::hmp {

class Session {
 public:
  Session(Machine& machine, Chardev& chardev);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Result<> start();
  void finish() { output_.flush_all(); }

 private:
  std::size_t can_receive() const;
  void receive(std::span<const u8> data);
  void event(ChardevEvent event);
  void moved(Chardev& next);
  void greet();
  void new_client();
  void run(const std::string& line);
  void forget_waiting();
  /// With a carriage return before each line end.
  void show(std::string_view text);

  Machine* machine_;
  Chardev* chardev_;
  bool busy_{false};
  bool client_changed_{false};           ///< while busy
  bool left_{false};                     ///< the client has gone, and its commands are not done
  std::shared_ptr<qmp::Later> waiting_;  ///< a command that goes on: no prompt, nothing is heard
  std::string unheard_;
  bool greeted_{false};
  bool shown_{true};  ///< false while a mux shows somebody else
  View view_;
  qmp::Client client_;
  monitor::Output output_;
  LineEditor editor_;
};

/// Runs lines for somebody without a session, and says what they print.
std::function<std::string(const std::string&)> command_runner(Machine& machine);
/// "Error" aside, what a command line prints, for human-monitor-command.
std::string with_carriage_returns(std::string_view text);

}  // namespace rhea::hmp
