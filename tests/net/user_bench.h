// SPDX-License-Identifier: GPL-2.0-or-later
// A card on a user network, and servers on the host's loopback.
#pragma once

#include "net/user_netdev.h"
#include "tests/net/guest_stack.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

namespace rhea::test {

/// A socket on 127.0.0.1 with a port of its own.
class LoopbackSocket {
 public:
  explicit LoopbackSocket(int kind) : socket_(::socket(AF_INET, kind | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = loopback(0);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(kind == SOCK_STREAM ? ::listen(socket_.get(), 4) : 0, 0);
    socklen_t length = sizeof name;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &length);
    port_ = ntohs(name.sin_port);
  }
  static sockaddr_in loopback(unsigned port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(static_cast<u16>(port));
    return name;
  }
  unsigned port() const { return port_; }
  int fd() const { return socket_.get(); }
  /// The next datagram, its sender kept; "" after ten seconds.
  std::string receive() {
    pollfd state{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    std::string text(2000, '\0');
    peer_length_ = sizeof peer_;
    if (::poll(&state, 1, 10000) <= 0) return "";
    const ssize_t length = ::recvfrom(socket_.get(), text.data(), text.size(), 0,
                                      reinterpret_cast<sockaddr*>(&peer_), &peer_length_);
    text.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return text;
  }
  /// The next connection; none after ten seconds.
  FileDescriptor accept() const {
    pollfd state{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    return FileDescriptor(::poll(&state, 1, 10000) > 0 ? ::accept(socket_.get(), nullptr, nullptr)
                                                       : -1);
  }
  void answer(const std::string& text) const {
    ::sendto(socket_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&peer_),
             peer_length_);
  }
  void send_to(unsigned port, const std::string& text) const {
    const sockaddr_in name = loopback(port);
    ::sendto(socket_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&name),
             sizeof name);
  }

 private:
  FileDescriptor socket_;
  unsigned port_{};
  sockaddr_in peer_{};
  socklen_t peer_length_{};
};

class UserNet : public testing::Test {
 protected:
  /// -netdev user with these options, and a card on it.
  GuestStack& start(const std::string& options = "") {
    auto made =
        create_netdev(net.bench.machine(), "user,id=n0" + (options.empty() ? "" : "," + options));
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    netdev = dynamic_cast<net::UserNetdev*>(*made);
    guest.emplace(net, net.card({{"netdev", "n0"}}));
    return *guest;
  }
  std::string error(const std::string& options) {
    auto made = create_netdev(net.bench.machine(), "user,id=n0," + options);
    return made ? "none" : made.error().message();
  }

  NetBench net;
  net::UserNetdev* netdev{};
  std::optional<GuestStack> guest;
};

}  // namespace rhea::test
