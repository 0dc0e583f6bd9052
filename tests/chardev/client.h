// SPDX-License-Identifier: GPL-2.0-or-later
// The other end of a socket chardev, and a machine whose loop a test turns by hand.
#pragma once

#include "rhea/chardev/chardev.h"
#include "rhea/softmmu/machine.h"
#include "tests/support/turn.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

namespace rhea::test {

/// A directory that goes with the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "rhea-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A non-blocking stream socket to a path.
class UnixClient {
 public:
  explicit UnixClient(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), std::min(path.size(), sizeof(name.sun_path) - 1));
    ok_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
  }
  bool ok() const { return ok_; }
  int fd() const { return fd_.get(); }
  std::size_t send(std::string_view text) {
    const ssize_t n = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  /// One byte, and a copy of a descriptor with it.
  bool send_descriptor(char byte, int passed) {
    iovec vector{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &passed, sizeof(int));
    return sendmsg(fd_.get(), &message, 0) == 1;
  }
  /// Adds what has come to `said`; false at the end of the connection.
  bool receive() {
    std::array<char, 65536> buffer;
    const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (n > 0) said.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EAGAIN);
  }
  void close() { fd_.reset(); }

  std::string said;

 private:
  FileDescriptor fd_;
  bool ok_{false};
};

inline void turn(Machine& machine, int times = 10) {
  for (int i = 0; i < times; ++i) machine.loop().iterate(false);
}

/// A front end that keeps what it hears.
struct Listener {
  std::string heard;
  std::string events;
  std::size_t room{1 << 20};
  bool has_room_again{false};

  Chardev::FrontEnd front_end(bool monitor = false) {
    return {.can_receive = [this] { return room; },
            .receive =
                [this](std::span<const u8> data) {
                  heard.append(reinterpret_cast<const char*>(data.data()), data.size());
                },
            .event = [this](ChardevEvent event) { events += "ocbio"[static_cast<int>(event)]; },
            .can_send = [this] { has_room_again = true; },
            .owner = this,
            .monitor = monitor};
  }
};

inline std::span<const u8> bytes_of(std::string_view text) {
  return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

}  // namespace rhea::test
