// SPDX-License-Identifier: GPL-2.0-or-later
// Makes a connection without waiting for anybody.
#pragma once

#include "rhea/util/event_loop.h"
#include "util/socket_address.h"

#include <functional>
#include <memory>
#include <vector>

namespace rhea::chardev {

/// One attempt at a time. Names are looked up on a thread of their own; a name's addresses are
/// tried in turn. Used on the loop's thread, where it also calls back.
class Connector {
 public:
  using Done = std::function<void(Result<FileDescriptor>)>;

  explicit Connector(EventLoop& loop) : loop_(&loop) {}
  ~Connector() { cancel(); }
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// `done` is called once, never before this returns, unless cancelled.
  void start(const SocketAddress& address, Done done);
  void cancel();

 private:
  struct Attempt;
  struct Lookup;

  void look_up(const std::shared_ptr<Attempt>& attempt);
  void try_next(const std::shared_ptr<Attempt>& attempt);
  void connected(const std::shared_ptr<Attempt>& attempt);
  void finish(const std::shared_ptr<Attempt>& attempt, Result<FileDescriptor> result);

  EventLoop* loop_;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace rhea::chardev
