// SPDX-License-Identifier: GPL-2.0-or-later
// What monitors of both kinds do with a chardev: one client after another, heard in turns.
#pragma once

#include "monitor/output.h"
#include "monitor/qmp/later.h"
#include "rhea/softmmu/deferred.h"

#include <chrono>
#include <deque>
#include <memory>
#include <string>

namespace rhea::monitor {

/// Serves one client after another. What a client says is heard piece by piece, some of them in one
/// turn of the main loop: some answers take milliseconds, a chunk holds hundreds of questions, and
/// others want to be heard as well. Who does not read what he is told is not heard either. What was
/// said before a client went is done, unless the next one comes before that. On the main loop.
class Conversation {
 public:
  Conversation(Machine& machine, Chardev& chardev);
  virtual ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  Result<> start();
  /// The program ends: waits for the client, in bounded slices.
  void finish() { output_.flush_all(); }

 protected:
  using Piece = Result<std::string>;

  /// Cuts what came into pieces; each ends one command at most.
  virtual void cut(std::span<const u8> data, std::deque<Piece>& pieces) = 0;
  virtual void hear(const Piece& piece) = 0;
  /// Another client, or with open() false none: forget the last one.
  virtual void begin() = 0;
  /// A mux shows this monitor, or somebody else.
  virtual void shown(bool) {}

  /// The command's answer comes later: nothing is heard until `tell` was told.
  void wait_for(std::shared_ptr<qmp::Later> later, qmp::Later::Callback tell);
  void say(std::string_view text) { output_.write(text); }
  bool open() const { return open_; }
  Machine& machine() const { return *machine_; }
  Chardev& chardev() const { return *chardev_; }

 private:
  std::size_t can_receive() const;
  bool is_read() const;
  bool turn_is_over() const;
  bool has_next() const;
  void receive(std::span<const u8> data);
  void next_turn();
  void go_on();
  void event(ChardevEvent event);
  void can_send();
  void moved(Chardev& next);
  void change_client();
  void new_client();

  Machine* machine_;
  Chardev* chardev_;
  bool open_{false};
  bool busy_{false};
  bool client_changed_{false};           ///< while busy
  bool left_{false};                     ///< the client has gone, and its commands are not done
  std::shared_ptr<qmp::Later> waiting_;  ///< for an answer; what comes meanwhile is kept
  std::deque<Piece> unheard_;
  unsigned heard_{0};  ///< in this turn
  std::chrono::steady_clock::duration spent_{};
  Deferred next_turn_;
  Output output_;
};

}  // namespace rhea::monitor
