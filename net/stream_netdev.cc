// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/stream_netdev.h"

#include "rhea/qom/registry.h"
#include "rhea/util/log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace rhea::net {
namespace {

constexpr std::size_t kLengthBytes = 4;
/// Room for what one read brings beside a frame that is here in part.
constexpr std::size_t kMemory = 256 * KiB;
/// Frames in one message to the host.
constexpr std::size_t kMostAtOnce = 64;
/// Reads in a row before others of the loop have their turn.
constexpr int kReads = 4;
/// Until a host without descriptors, or memory, is asked again.
constexpr std::chrono::milliseconds kAcceptAgain{500}, kNoMemory{2};

u32 length_at(const u8* bytes) {
  return u32{bytes[0]} << 24 | u32{bytes[1]} << 16 | u32{bytes[2]} << 8 | bytes[3];
}

std::array<u8, kLengthBytes> length_bytes(std::size_t length) {
  return {static_cast<u8>(length >> 24), static_cast<u8>(length >> 16),
          static_cast<u8>(length >> 8), static_cast<u8>(length)};
}

}  // namespace

// ---- Frames out of a stream

// Not cleared: the host gives memory when it is used.
FrameCutter::FrameCutter() : memory_(new u8[kMemory]) {}

void FrameCutter::clear() {
  frames_.clear();
  begin_ = end_ = next_ = 0;
  broken_ = false;
}

FrameCutter::Read FrameCutter::read(int socket) {
  frames_.clear();
  next_ = 0;
  // The longest frame fits behind what is moved to the front.
  std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  const ssize_t n = ::recv(socket, memory_.get() + end_, kMemory - end_, MSG_DONTWAIT);
  if (n == 0) return Read::End;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Read::Nothing : Read::End;
  end_ += static_cast<std::size_t>(n);
  cut();
  return Read::Some;
}

void FrameCutter::cut() {
  while (!broken_ && end_ - begin_ >= kLengthBytes) {
    const std::size_t length = length_at(memory_.get() + begin_);
    broken_ = length > kLongestFrame;
    if (broken_ || end_ - begin_ - kLengthBytes < length) return;
    // A frame of no bytes, which no link carries, counts for nothing.
    if (length != 0) frames_.emplace_back(memory_.get() + begin_ + kLengthBytes, length);
    begin_ += kLengthBytes + length;
  }
}

// ---- The back end

std::unique_ptr<Netdev> StreamNetdev::make(Plan plan) {
  auto netdev = create<StreamNetdev>();
  netdev->kind_ = std::move(plan.kind);
  netdev->what_ = std::move(plan.what);
  netdev->listener_ = std::move(plan.listener);
  netdev->connection_ = std::move(plan.connection);
  netdev->connecting_ = static_cast<bool>(netdev->connection_);
  return netdev;
}

std::string StreamNetdev::info() const { return what_; }

void StreamNetdev::begin() { watch(); }

void StreamNetdev::end() {
  listening_.remove();
  input_.remove();
  output_.remove();
  pause_.end();
  // The part of a frame behind it stays: the stream goes on for the next front end.
  cutter_.drop(cutter_.waiting().size());
}

void StreamNetdev::watch() {
  if (!connection_) {
    if (listener_)
      listening_ = loop().watch_fd(listener_.get(), FdEvents::Read, [this](FdEvents) { accept(); });
  } else if (connecting_) {
    output_ =
        loop().watch_fd(connection_.get(), FdEvents::Write, [this](FdEvents) { connected(); });
  } else {
    if (cutter_.waiting().empty())
      input_ = loop().watch_fd(connection_.get(), FdEvents::Read, [this](FdEvents) { read(); });
    if (!rest_.empty()) await_room(EAGAIN);
  }
}

void StreamNetdev::accept() {
  FileDescriptor peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) return;
  listening_.remove();
  // The peer stays in the queue, and the listener ready.
  if (!peer) return pause_.begin(loop(), kAcceptAgain, [this] { watch(); });
  connection_ = std::move(peer);
  begin_connection();
}

/// Frames are whole messages: none waits for a next one. Other sockets know nothing of it.
void StreamNetdev::begin_connection() {
  const int on = 1;
  ::setsockopt(connection_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch();
  tell_can_send();
}

void StreamNetdev::connected() {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(connection_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  output_.remove();
  connecting_ = false;
  if (error != 0) return lose(errno_text(error));
  begin_connection();
}

void StreamNetdev::read() {
  for (int reads = 0; reads < kReads; ++reads) {
    const FrameCutter::Read came = cutter_.read(connection_.get());
    cutter_.drop(deliver(cutter_.waiting()));
    if (came == FrameCutter::Read::End) return lose("the peer has closed the connection");
    if (!cutter_.waiting().empty()) return input_.remove();  // until resume()
    if (cutter_.broken()) return lose("the peer sends what is no frame");
    if (came == FrameCutter::Read::Nothing) return;
  }
}

void StreamNetdev::resume() {
  cutter_.drop(deliver(cutter_.waiting()));
  if (!cutter_.waiting().empty() || input_ || !connection_ || connecting_) return;
  if (cutter_.broken()) return lose("the peer sends what is no frame");
  input_ = loop().watch_fd(connection_.get(), FdEvents::Read, [this](FdEvents) { read(); });
}

void StreamNetdev::lose(std::string_view why) {
  if (limit_.pass()) report_warning(fmt::format("netdev '{}' ({}): {}", name(), what_, why));
  end();
  connection_.reset();
  connecting_ = false;
  cutter_.clear();
  rest_.clear();
  rest_sent_ = 0;
  watch();
  // What the card kept for a peer that is gone is dropped, as a cable's end would.
  tell_can_send();
}

// ---- The way out

bool StreamNetdev::flush() {
  while (rest_sent_ < rest_.size()) {
    const ssize_t n = ::send(connection_.get(), rest_.data() + rest_sent_,
                             rest_.size() - rest_sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    rest_sent_ += static_cast<std::size_t>(n);
  }
  rest_.clear();
  rest_sent_ = 0;
  return true;
}

// Of memory that comes no descriptor tells.
void StreamNetdev::await_room(int error) {
  if (output_ || pause_) return;
  if (error == ENOBUFS) return pause_.begin(loop(), kNoMemory, [this] { try_again(); });
  output_ = loop().watch_fd(connection_.get(), FdEvents::Write, [this](FdEvents) {
    output_.remove();
    try_again();
  });
}

void StreamNetdev::try_again() {
  if (flush()) return tell_can_send();
  const int error = errno;
  if (error != EAGAIN && error != ENOBUFS) return lose(errno_text(error));
  await_room(error);
}

void StreamNetdev::keep_rest(Frame frame, std::size_t sent) {
  const auto length = length_bytes(frame.size());
  rest_.assign(length.begin(), length.end());
  rest_.insert(rest_.end(), frame.begin(), frame.end());
  rest_sent_ = sent;
}

std::size_t StreamNetdev::transmit(std::span<const Frame> frames) {
  if (!connection_ || connecting_) return frames.size();
  std::size_t taken = 0;
  while (taken < frames.size()) {
    if (!rest_.empty()) {
      await_room(EAGAIN);
      return taken;
    }
    const auto now = frames.subspan(taken, std::min(kMostAtOnce, frames.size() - taken));
    std::array<std::array<u8, kLengthBytes>, kMostAtOnce> lengths{};
    std::array<iovec, 2 * kMostAtOnce> pieces{};
    for (std::size_t i = 0; i < now.size(); ++i) {
      lengths[i] = length_bytes(now[i].size());
      pieces[2 * i] = {.iov_base = lengths[i].data(), .iov_len = kLengthBytes};
      pieces[2 * i + 1] = {.iov_base = const_cast<u8*>(now[i].data()), .iov_len = now[i].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = 2 * now.size();
    const ssize_t n = ::sendmsg(connection_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN && errno != ENOBUFS) return frames.size();  // read() finds out why
    const int error = errno;
    std::size_t left = n < 0 ? 0 : static_cast<std::size_t>(n);
    while (left != 0) {
      const Frame frame = frames[taken++];
      if (left < kLengthBytes + frame.size()) {
        keep_rest(frame, left);
        left = 0;
      } else {
        left -= kLengthBytes + frame.size();
      }
    }
    if (n < 0) {
      await_room(error);
      return taken;
    }
  }
  if (!rest_.empty()) await_room(EAGAIN);
  return taken;
}

}  // namespace rhea::net
