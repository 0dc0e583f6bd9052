// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/datagram.h"

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

namespace rhea::net {
namespace {

constexpr std::size_t kMemory = DatagramBatch::kFrames * kLongestFrame;
/// Reads in a row before others of the loop have their turn.
constexpr int kReads = 4;
/// Until a host without memory for a message is asked again.
constexpr std::chrono::milliseconds kNoMemory{2};

}  // namespace

DatagramBatch::DatagramBatch() {
  void* memory = ::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_.reset(static_cast<u8*>(memory));
  frames_.reserve(kFrames);
}

void DatagramBatch::Unmap::operator()(u8* memory) const { ::munmap(memory, kMemory); }

bool DatagramBatch::read(int socket) {
  std::array<mmsghdr, kFrames> messages{};
  std::array<iovec, kFrames> places{};
  for (std::size_t i = 0; i < kFrames; ++i) {
    places[i] = {.iov_base = memory_.get() + i * kLongestFrame, .iov_len = kLongestFrame};
    messages[i].msg_hdr.msg_iov = &places[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  frames_.clear();
  next_ = 0;
  const int count = ::recvmmsg(socket, messages.data(), kFrames, MSG_DONTWAIT, nullptr);
  if (count <= 0) return false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    if (messages[i].msg_len != 0 && (messages[i].msg_hdr.msg_flags & MSG_TRUNC) == 0)
      frames_.emplace_back(memory_.get() + i * kLongestFrame, messages[i].msg_len);
  return true;
}

bool DatagramBatch::read_device(int device, std::size_t header) {
  frames_.clear();
  next_ = 0;
  for (std::size_t i = 0; i < kFrames; ++i) {
    u8* const place = memory_.get() + i * kLongestFrame;
    const ssize_t n = ::read(device, place, kLongestFrame);
    if (n <= 0) break;
    if (static_cast<std::size_t>(n) > header)
      frames_.emplace_back(place + header, static_cast<std::size_t>(n) - header);
  }
  return !frames_.empty();
}

void DatagramNetdev::begin() {
  batch_.emplace();
  watch_input();
}

void DatagramNetdev::end() {
  input_.remove();
  output_.remove();
  pause_.end();
  batch_.reset();
}

void DatagramNetdev::watch_input() {
  if (!socket_) return;
  input_ = loop().watch_fd(socket_.get(), FdEvents::Read, [this](FdEvents events) {
    const bool came = has(events, FdEvents::Read) && read();
    // What a peer that is gone has left behind is read first.
    if (came || !has(events, FdEvents::Hangup) || !over()) return;
    input_.remove();
    hung_up();
  });
}

/// Whether nothing can ever come any more. An error of an earlier message of ours, as when nobody
/// listened to it, is forgotten once it has been asked for, by this or by a read.
bool DatagramNetdev::over() const {
  int error = 0;
  socklen_t length = sizeof error;
  // Of a device that is no socket it stays.
  if (::getsockopt(socket(), SOL_SOCKET, SO_ERROR, &error, &length) < 0) return true;
  pollfd now{.fd = socket(), .events = 0, .revents = 0};
  return ::poll(&now, 1, 0) > 0 && (now.revents & (POLLHUP | POLLNVAL)) != 0;
}

bool DatagramNetdev::read() {
  bool came = false;
  for (int reads = 0; reads < kReads && fill(*batch_); ++reads) {
    came |= !batch_->waiting().empty();
    batch_->drop(deliver(batch_->waiting()));
    if (batch_->waiting().empty()) continue;
    input_.remove();  // until resume()
    break;
  }
  return came;
}

void DatagramNetdev::resume() {
  batch_->drop(deliver(batch_->waiting()));
  if (batch_->waiting().empty() && !input_) watch_input();
}

std::size_t DatagramNetdev::transmit(std::span<const Frame> frames) {
  if (!socket_) return frames.size();
  std::array<mmsghdr, DatagramBatch::kFrames> messages{};
  std::array<iovec, DatagramBatch::kFrames> places{};
  socklen_t length = 0;
  const sockaddr* const to = destination(length);
  std::size_t taken = 0;
  while (taken < frames.size()) {
    const std::size_t count = std::min(frames.size() - taken, messages.size());
    for (std::size_t i = 0; i < count; ++i) {
      const Frame frame = frames[taken + i];
      places[i] = {.iov_base = const_cast<u8*>(frame.data()), .iov_len = frame.size()};
      messages[i].msg_hdr.msg_name = const_cast<sockaddr*>(to);
      messages[i].msg_hdr.msg_namelen = length;
      messages[i].msg_hdr.msg_iov = &places[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(socket_.get(), messages.data(), static_cast<unsigned>(count),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      taken += static_cast<std::size_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) {
      await_room(errno);
      return taken;
    }
    // This one cannot be sent, as when nobody listens: a network loses frames, too.
    ++taken;
  }
  return taken;
}

// Of memory that comes no descriptor tells.
void DatagramNetdev::await_room(int error) {
  if (error == ENOBUFS) return pause_.begin(loop(), kNoMemory, [this] { tell_can_send(); });
  output_ = loop().watch_fd(socket_.get(), FdEvents::Write, [this](FdEvents) {
    output_.remove();
    tell_can_send();
  });
}

void DatagramNetdev::change_socket(FileDescriptor socket) {
  const bool watched = static_cast<bool>(input_);
  input_.remove();
  output_.remove();
  pause_.end();
  socket_ = std::move(socket);
  if (attached() && (watched || batch_->waiting().empty())) watch_input();
  tell_can_send();
}

}  // namespace rhea::net
