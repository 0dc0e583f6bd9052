// SPDX-License-Identifier: GPL-2.0-or-later
// A QMP server on a chardev.
#pragma once

#include "monitor/output.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/framer.h"
#include "rhea/softmmu/deferred.h"

#include <deque>
#include <memory>
#include <string>

namespace rhea::qmp {

/// Serves one client after another on its chardev; each starts with the greeting.
class Session {
 public:
  Session(Machine& machine, Chardev& chardev, bool pretty);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Result<> start();
  /// To clients that have negotiated.
  void send_event(const Json& event);
  void finish() { output_.flush_all(); }

 private:
  std::size_t can_receive() const;
  /// Whether the client takes its answers.
  bool is_read() const;
  bool has_next() const;
  void receive(std::span<const u8> data);
  void keep(std::vector<FileDescriptor> descriptors);
  void answer(Result<std::string_view> message);
  void wait_for(const Context& context);
  void go_on();
  void event(ChardevEvent event);
  void can_send();
  void moved(Chardev& next);
  void change_client();
  void new_client();
  void send(const std::string& text);

  Machine* machine_;
  Chardev* chardev_;
  bool pretty_;
  bool busy_{false};
  bool client_changed_{false};      ///< while busy
  bool left_{false};                ///< the client has gone, and its commands are not done
  std::shared_ptr<Later> waiting_;  ///< for an answer; what comes meanwhile is kept
  std::deque<Result<std::string>> unheard_;
  Deferred next_turn_;
  bool open_{false};
  Client client_;
  Framer framer_;
  monitor::Output output_;
};

/// {"QMP": {"version": …}}
Json greeting();
/// The object that query-version returns.
Json version();

}  // namespace rhea::qmp
