// SPDX-License-Identifier: GPL-2.0-or-later
// Datagrams to one peer: each write is one, and what comes is a stream for the front end.
#include "chardev/backend.h"
#include "util/socket_address.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace rhea::chardev {
namespace {

constexpr std::size_t kMaxDatagram = 65507;

/// Nothing is ever awaited: what the network does not take now is lost, as datagrams are.
class UdpChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-udp";

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening when) {
    auto udp = create<UdpChardev>();
    udp->machine_ = &machine;
    TRY(udp->open(options, when == Opening::AtStart));
    return udp;
  }

  Result<> attach(FrontEnd front_end) override {
    TRY(Chardev::attach(std::move(front_end)));
    deliver(ChardevEvent::Opened);
    update();
    return {};
  }
  void detach(const void* owner) override {
    Chardev::detach(owner);
    update();
  }
  void accept_input() override {
    pass();
    update();
  }
  std::size_t write(std::span<const u8> data) override {
    for (std::size_t done = 0; done < data.size();) {
      const auto piece = data.subspan(done, std::min(data.size() - done, kMaxDatagram));
      if (::send(socket_.get(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
          errno == EINTR)
        continue;
      done += piece.size();
    }
    return logged(data);
  }
  std::string filename() const override { return "udp"; }

 private:
  Result<> open(KeyValues& options, bool may_wait);
  Result<> try_pair(const ResolvedAddress& local, const ResolvedAddress& remote);

  // Reads the next datagram only when the last one is used up.
  void update() {
    const bool wanted = rest_.empty() && front_end().can_receive && front_end().can_receive() > 0;
    if (!wanted)
      watch_.remove();
    else if (!watch_)
      watch_ =
          machine_->loop().watch_fd(socket_.get(), FdEvents::Read, [this](FdEvents) { receive(); });
  }
  void receive() {
    datagram_.resize(kMaxDatagram);
    const ssize_t n = ::recv(socket_.get(), datagram_.data(), datagram_.size(), MSG_DONTWAIT);
    if (n <= 0) return;  // an earlier datagram was refused, or nothing is there after all
    rest_ = std::span(datagram_).first(static_cast<std::size_t>(n));
    pass();
    update();
  }
  void pass() {
    while (!rest_.empty()) {
      const std::size_t room = front_end().can_receive ? front_end().can_receive() : 0;
      if (room == 0) return;
      const auto now = rest_.first(std::min(room, rest_.size()));
      rest_ = rest_.subspan(now.size());
      front_end().receive(now);
    }
  }

  Machine* machine_{};
  FileDescriptor socket_;
  EventLoop::Watch watch_;
  std::vector<u8> datagram_;
  std::span<const u8> rest_;  ///< of datagram_
};

Result<> UdpChardev::open(KeyValues& options, bool may_wait) {
  SocketAddress remote;
  remote.kind = SocketAddress::Kind::Tcp;
  remote.host = options.take("host").value_or("");
  if (remote.host.empty()) remote.host = "localhost";
  remote.port = TRY(take_required(options, "udp", "port"));
  TRY(take_families(options, remote));
  SocketAddress local = remote;
  local.host = options.take("localaddr").value_or("");
  local.port = options.take("localport").value_or("");
  if (local.port.empty()) local.port = "0";
  TRY(expect_no_more(options));
  const auto remotes = TRY(remote.resolve_datagram(false, may_wait));
  const auto locals = TRY(local.resolve_datagram(true, may_wait));
  Result<> last =
      fail("chardev: udp: {} and {} are of different families", local.text(), remote.text());
  for (const ResolvedAddress& to : remotes)
    for (const ResolvedAddress& from : locals) {
      if (from.name.ss_family != to.name.ss_family) continue;
      last = try_pair(from, to);
      if (last) return {};
    }
  return last;
}

Result<> UdpChardev::try_pair(const ResolvedAddress& local, const ResolvedAddress& remote) {
  FileDescriptor fd(::socket(remote.name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("Failed to create a socket: {}", errno_text(errno));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&local.name), local.length) < 0)
    return fail("Failed to bind socket: {}", errno_text(errno));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&remote.name), remote.length) < 0)
    return fail("Failed to connect socket: {}", errno_text(errno));
  socket_ = std::move(fd);
  return {};
}

const RegisterType<UdpChardev> registration;
const RegisterBackend backend{{.name = "udp", .alias = "", .create = &UdpChardev::make}};

}  // namespace
}  // namespace rhea::chardev
