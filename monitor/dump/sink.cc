// SPDX-License-Identifier: GPL-2.0-or-later
// Writing to files, pipes and sockets without ever being stuck in it.
#include "monitor/dump/sink.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace rhea::dump {
namespace {

constexpr std::size_t kBuffer = 256 * KiB;
constexpr int kLookAgainMs = 100;

bool is_disk(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode));
}

}  // namespace

// A pipe that poll() calls writable takes PIPE_BUF bytes; nothing more is promised of anything.
Sink::Sink(int fd, std::stop_token stop)
    : fd_(fd), stop_(std::move(stop)), piece_(is_disk(fd) ? kBuffer : PIPE_BUF) {
  buffer_.reserve(kBuffer);
}

Result<> Sink::write(std::span<const u8> data) {
  position_ += data.size();
  while (!data.empty()) {
    const std::size_t part = std::min(data.size(), kBuffer - buffer_.size());
    buffer_.insert(buffer_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(part));
    data = data.subspan(part);
    if (buffer_.size() == kBuffer) TRY(flush());
  }
  return {};
}

Result<> Sink::zeros(u64 count) {
  constexpr std::array<u8, 4096> kZeros{};
  for (u64 left = count; left > 0;) {
    const std::size_t part = std::min<u64>(left, kZeros.size());
    TRY(write(std::span(kZeros).first(part)));
    left -= part;
  }
  return {};
}

Result<> Sink::flush() {
  auto result = write_out(buffer_);
  buffer_.clear();
  return result;
}

Result<> Sink::write_out(std::span<const u8> data) {
  while (!data.empty()) {
    if (stop_.stop_requested()) return fail("dump: cancelled");
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, kLookAgainMs) == 0) continue;
    const ssize_t done = ::write(fd_, data.data(), std::min(data.size(), piece_));
    if (done < 0 && errno != EINTR && errno != EAGAIN)
      return fail("dump: failed to save memory: {}", errno_text(errno));
    if (done > 0) data = data.subspan(static_cast<std::size_t>(done));
  }
  // Whoever the disk kept until the program ended finds nothing of the machine.
  if (stop_.stop_requested()) return fail("dump: cancelled");
  return {};
}

}  // namespace rhea::dump
