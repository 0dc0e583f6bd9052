// SPDX-License-Identifier: GPL-2.0-or-later
// Stream sockets: a server with one client at a time, or a client that may reconnect.
#include "chardev/backend.h"
#include "chardev/fd_chardev.h"
#include "chardev/socket_address.h"
#include "rhea/util/log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace rhea::chardev {
namespace {

constexpr std::size_t kMaxDescriptors = 64;

struct SocketOptions {
  SocketAddress address;
  bool server{false};
  bool wait{false};
  bool delay{true};
  u64 reconnect_seconds{0};
};

Result<SocketOptions> take_options(KeyValues& options) {
  SocketOptions result;
  result.server = TRY(options.take_bool("server", false));
  const bool wait_given = options.find("wait") != nullptr;
  result.wait = TRY(options.take_bool("wait", result.server));
  if (options.find("delay") != nullptr && options.find("nodelay") != nullptr)
    return fail("'delay' and 'nodelay' are mutually exclusive");
  result.delay = TRY(options.take_bool("delay", true)) && !TRY(options.take_bool("nodelay", false));
  for (const std::string_view absent : {"telnet", "tn3270", "websocket"})
    if (TRY(options.take_bool(absent, false)))
      return fail("chardev: socket: {}=on is not available", absent);
  if (const auto text = options.take("reconnect"))
    result.reconnect_seconds =
        TRY(parse_unsigned(Value(*text), {.min = 0, .max = 1'000'000}, false));
  result.address = TRY(SocketAddress::take(options));
  if (!result.server && wait_given)
    return fail("'wait' option is incompatible with socket in client connect mode");
  if (result.server && result.reconnect_seconds != 0)
    return fail("'reconnect' option is incompatible with socket in server listen mode");
  return result;
}

class SocketChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-socket";
  using Extendable = Chardev;

  ~SocketChardev() override {
    if (listener_ && options_.address.kind == SocketAddress::Kind::Unix &&
        !options_.address.abstract)
      unlink(options_.address.path.c_str());
  }

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options) {
    auto socket = create<SocketChardev>();
    socket->use_loop(machine);
    socket->options_ = TRY(take_options(options));
    SocketChardev& self = *socket;
    self.timer_.init(machine.realtime_clock(), [&self] { self.try_connect(); });
    TRY(self.options_.server ? self.serve(machine) : self.connect_first());
    return socket;
  }

  void disconnect() override {
    if (peer_) defer([this] { hangup(); });
  }
  std::vector<FileDescriptor> take_descriptors() override {
    return std::exchange(descriptors_, {});
  }

  std::string filename() const override {
    const char* role = options_.server ? ",server=on" : "";
    if (!peer_ || !connected()) {
      const std::string where = listener_ && options_.address.kind == SocketAddress::Kind::Tcp
                                    ? local_text(listener_.get())
                                    : options_.address.text();
      return fmt::format("disconnected:{}{}", where, role);
    }
    const std::string peer = peer_text(peer_.get());
    const std::string local = local_text(peer_.get());
    const std::string here = local.empty() ? "unix:" + options_.address.path : local;
    return peer.empty() ? here + role : fmt::format("{}{} <-> {}", here, role, peer);
  }

 private:
  Result<> serve(Machine& machine) {
    listener_ = TRY(options_.address.listen());
    listen_again();
    return options_.wait ? wait_for_client(machine) : Result<>();
  }

  // Start-up goes on when somebody has connected, or ends when the user ends the program.
  Result<> wait_for_client(Machine& machine) {
    report_info(fmt::format("waiting for connection on: {}", filename()));
    while (!peer_) {
      machine.loop().iterate(true);
      if (machine.exit_code()) return fail("chardev: socket: ended while waiting for a connection");
    }
    return {};
  }

  void listen_again() {
    const bool wanted = listener_ && (!peer_ || replaceable_);
    if (!wanted)
      accept_watch_.remove();
    else if (!accept_watch_)
      accept_watch_ =
          loop().watch_fd(listener_.get(), FdEvents::Read, [this](FdEvents) { accept_client(); });
  }

  void accept_client() {
    FileDescriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    if (peer_) hangup();
    begin(std::move(fd));
  }

  Result<> connect_first() {
    if (options_.reconnect_seconds != 0) {
      try_connect();
      return {};
    }
    pending_ = TRY(options_.address.connect());
    pollfd state{.fd = pending_.get(), .events = POLLOUT, .revents = 0};
    while (poll(&state, 1, -1) < 0 && errno == EINTR) {
    }
    if (const int error = connect_error())
      return fail("Failed to connect to '{}': {}", options_.address.text(), errno_text(error));
    begin(std::move(pending_));
    return {};
  }

  void try_connect() {
    auto fd = options_.address.connect();
    if (!fd) return retry_later();
    pending_ = std::move(*fd);
    connect_watch_ = loop().watch_fd(pending_.get(), FdEvents::Write, [this](FdEvents) {
      connect_watch_.remove();
      if (connect_error() != 0) return retry_later();
      begin(std::move(pending_));
    });
  }

  int connect_error() const {
    int error = 0;
    socklen_t length = sizeof(error);
    return getsockopt(pending_.get(), SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
  }

  void retry_later() {
    pending_.reset();
    if (options_.reconnect_seconds != 0)
      timer_.arm_in(static_cast<i64>(options_.reconnect_seconds) * kNsPerSecond);
  }

  void begin(FileDescriptor fd) {
    peer_ = std::move(fd);
    replaceable_ = false;
    const int on = 1;
    if (!options_.delay) setsockopt(peer_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (options_.server) listen_again();
    start(peer_.get(), peer_.get());
  }

  void hangup() override {
    if (!peer_) return;
    stop();
    peer_.reset();
    descriptors_.clear();
    replaceable_ = false;
    if (options_.server)
      listen_again();
    else
      retry_later();
  }

  // The next client need not wait until the guest has read all that the last one left behind.
  void hangup_with_input() override {
    replaceable_ = true;
    listen_again();
  }

  ssize_t receive_some(std::span<u8> buffer) override {
    iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = recvmsg(peer_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) return n;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header))
      if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        keep_descriptors(*header);
    return n;
  }

  void keep_descriptors(const cmsghdr& header) {
    const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(&header) + i * sizeof(int), sizeof(int));
      FileDescriptor owned(fd);
      if (descriptors_.size() < kMaxDescriptors) descriptors_.push_back(std::move(owned));
    }
  }

  ssize_t send_some(int fd, std::span<const u8> data) override {
    return ::send(fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  SocketOptions options_;
  FileDescriptor listener_;
  FileDescriptor pending_;  ///< being connected
  FileDescriptor peer_;
  bool replaceable_{false};
  EventLoop::Watch accept_watch_;
  EventLoop::Watch connect_watch_;
  Timer timer_;
  std::vector<FileDescriptor> descriptors_;
};

const RegisterType<SocketChardev> registration;
const RegisterBackend backend{{.name = "socket", .alias = "", .create = &SocketChardev::make}};

}  // namespace
}  // namespace rhea::chardev
