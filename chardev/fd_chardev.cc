// SPDX-License-Identifier: GPL-2.0-or-later
// What back ends on host file descriptors share.
#include "chardev/fd_chardev.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rhea::chardev {
namespace {

constexpr std::size_t kReadChunk = 16 * KiB;

bool bytes_waiting(int fd) {
  int count = 0;
  return ioctl(fd, FIONREAD, &count) == 0 && count > 0;
}

}  // namespace

FdChardev::~FdChardev() = default;

Result<> FdChardev::attach(FrontEnd front_end) {
  TRY(Chardev::attach(std::move(front_end)));
  if (connected()) deliver(ChardevEvent::Opened);
  update_input();
  return {};
}

void FdChardev::detach(const void* owner) {
  Chardev::detach(owner);
  update_input();
}

void FdChardev::accept_input() { update_input(); }

void FdChardev::use_loop(Machine& machine) {
  machine_loop_ = &machine.loop();
  watch_later_.init(machine.loop(), [this] { watch_for_room(); });
}

void FdChardev::start_on(Machine& machine, FileDescriptor in, FileDescriptor out) {
  use_loop(machine);
  own_in_ = std::move(in);
  own_out_ = std::move(out);
  start(own_in_.get(), own_out_ ? own_out_.get() : own_in_.get());
}

void FdChardev::start(int in, int out) {
  {
    const std::lock_guard lock(out_mutex_);
    out_ = out;
    want_room_ = false;
  }
  in_ = in;
  half_dead_ = false;
  deliver(ChardevEvent::Opened);
  update_input();
}

void FdChardev::stop_input() {
  if (in_ < 0) return;
  in_watch_.remove();
  in_ = -1;
  deliver(ChardevEvent::Closed);
}

void FdChardev::stop() {
  bool waiting = false;
  {
    const std::lock_guard lock(out_mutex_);
    out_ = -1;
    waiting = std::exchange(want_room_, false);
  }
  out_watch_.remove();
  stop_input();
  // From here on output is dropped; whoever waits for room must hear of it.
  if (waiting && front_end().can_send) front_end().can_send();
}

// Reads only while the front end takes something; else only hears of hang-ups, or the loop would
// spin.
void FdChardev::update_input() {
  if (in_ < 0) return;
  const bool wanted = front_end().can_receive && front_end().can_receive() > 0;
  if (half_dead_ && !wanted) return in_watch_.remove();
  if (in_watch_ && reading_ == wanted) return;
  reading_ = wanted;
  in_watch_ = loop().watch_fd(in_, wanted ? FdEvents::Read | FdEvents::Hangup : FdEvents::Hangup,
                              [this](FdEvents events) { input_ready(events); });
}

void FdChardev::input_ready(FdEvents) {
  const std::size_t room = front_end().can_receive ? front_end().can_receive() : 0;
  if (room == 0) {
    // Without a reader, a ready descriptor means a hang-up, or that the reader has just become
    // full.
    pollfd state{.fd = in_, .events = 0, .revents = 0};
    if (poll(&state, 1, 0) > 0 && state.revents != 0) {
      if (!attached() || !bytes_waiting(in_)) return hangup();
      half_dead_ = true;
      hangup_with_input();
    }
    return update_input();
  }
  std::array<u8, kReadChunk> buffer;
  const ssize_t n = receive_some(std::span(buffer).first(std::min(room, buffer.size())));
  if (n == 0) return hangup();
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) hangup();
    return;
  }
  front_end().receive(std::span(buffer).first(static_cast<std::size_t>(n)));
  update_input();
}

ssize_t FdChardev::receive_some(std::span<u8> buffer) {
  return ::read(in_, buffer.data(), buffer.size());
}

ssize_t FdChardev::send_some(int fd, std::span<const u8> data) {
  // Small pieces: a descriptor that polls as writable takes this much without blocking, even when
  // it is not in non-blocking mode (standard output is shared with other programs, so its mode is
  // left alone).
  pollfd state{.fd = fd, .events = POLLOUT, .revents = 0};
  if (poll(&state, 1, 0) < 0) return -1;
  if ((state.revents & (POLLOUT | POLLERR | POLLHUP)) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(fd, data.data(), std::min<std::size_t>(data.size(), 256));
}

std::size_t FdChardev::write(std::span<const u8> data) {
  const std::lock_guard lock(out_mutex_);
  if (out_ < 0) return logged(data);
  std::size_t sent = 0;
  while (sent < data.size()) {
    const ssize_t n = send_some(out_, data.subspan(sent));
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      wait_for_room();
      break;
    } else if (errno != EINTR) {
      // Nobody reads this any more: the loop hears of the hang-up by itself.
      sent = data.size();
    }
  }
  return logged(data.first(sent));
}

void FdChardev::wait_for_room() {
  if (!std::exchange(want_room_, true)) watch_later_.schedule();
}

void FdChardev::watch_for_room() {
  int fd = -1;
  {
    const std::lock_guard lock(out_mutex_);
    if (!want_room_) return;
    fd = out_;
  }
  out_watch_ = loop().watch_fd(fd, FdEvents::Write, [this](FdEvents) { output_ready(); });
}

void FdChardev::output_ready() {
  out_watch_.remove();
  {
    const std::lock_guard lock(out_mutex_);
    if (!std::exchange(want_room_, false)) return;
    if (!flush_raw(out_)) return wait_for_room();
  }
  if (front_end().can_send) front_end().can_send();
}

namespace {
const RegisterAbstractType<FdChardev, Chardev> registration;
}  // namespace

}  // namespace rhea::chardev
