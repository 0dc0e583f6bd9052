// SPDX-License-Identifier: GPL-2.0-or-later
// Makes a connection without waiting for anybody.
#include "chardev/connector.h"

#include <sys/socket.h>

#include <mutex>
#include <thread>

namespace rhea::chardev {

struct Connector::Attempt {
  SocketAddress address;
  Done done;
  std::vector<ResolvedAddress> targets;
  std::size_t next{0};
  std::string reason{"no address"};
  FileDescriptor fd;  ///< on its way
  EventLoop::Watch watch;
  std::shared_ptr<Lookup> lookup;
};

/// What a thread that looks up a name shares with the attempt, which may be gone before it ends.
struct Connector::Lookup {
  std::mutex mutex;
  EventLoop* loop{};  ///< null: nobody waits any more
  Result<std::vector<ResolvedAddress>> found;
};

void Connector::start(const SocketAddress& address, Done done) {
  cancel();
  attempt_ = std::make_shared<Attempt>();
  attempt_->address = address;
  attempt_->done = std::move(done);
  if (address.kind == SocketAddress::Kind::Tcp) return look_up(attempt_);
  loop_->defer([this, weak = std::weak_ptr(attempt_)] {
    if (const auto attempt = weak.lock()) finish(attempt, attempt->address.connect());
  });
}

void Connector::cancel() {
  if (!attempt_) return;
  if (attempt_->lookup) {
    const std::lock_guard lock(attempt_->lookup->mutex);
    attempt_->lookup->loop = nullptr;
  }
  attempt_.reset();
}

void Connector::look_up(const std::shared_ptr<Attempt>& attempt) {
  auto lookup = std::make_shared<Lookup>();
  lookup->loop = loop_;
  attempt->lookup = lookup;
  auto arrived = [this, weak = std::weak_ptr(attempt)] {
    const auto found = weak.lock();
    if (!found) return;
    if (!found->lookup->found) return finish(found, std::unexpected(found->lookup->found.error()));
    found->targets = std::move(*found->lookup->found);
    try_next(found);
  };
  // Not joined: a look-up may take half a minute, and the program need not last that long.
  std::thread([lookup, address = attempt->address, arrived = std::move(arrived)] {
    auto found = address.resolve();
    const std::lock_guard lock(lookup->mutex);
    lookup->found = std::move(found);
    if (lookup->loop != nullptr) lookup->loop->defer(arrived);
  }).detach();
}

void Connector::try_next(const std::shared_ptr<Attempt>& attempt) {
  while (attempt->next < attempt->targets.size()) {
    auto fd = attempt->targets[attempt->next++].connect();
    if (!fd) {
      attempt->reason = fd.error().message();
      continue;
    }
    attempt->fd = std::move(*fd);
    attempt->watch = loop_->watch_fd(attempt->fd.get(), FdEvents::Write,
                                     [this, weak = std::weak_ptr(attempt)](FdEvents) {
                                       if (const auto found = weak.lock()) connected(found);
                                     });
    return;
  }
  finish(attempt, fail("Failed to connect to '{}:{}': {}", attempt->address.host,
                       attempt->address.port, attempt->reason));
}

void Connector::connected(const std::shared_ptr<Attempt>& attempt) {
  attempt->watch.remove();
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(attempt->fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
  if (error == 0) return finish(attempt, std::move(attempt->fd));
  attempt->reason = errno_text(error);
  try_next(attempt);
}

void Connector::finish(const std::shared_ptr<Attempt>& attempt, Result<FileDescriptor> result) {
  if (attempt != attempt_) return;
  attempt_.reset();
  attempt->done(std::move(result));
}

}  // namespace rhea::chardev
