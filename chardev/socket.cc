// SPDX-License-Identifier: GPL-2.0-or-later
// Stream sockets: a server with one client at a time, or a client that may reconnect.
#include "chardev/backend.h"
#include "chardev/connector.h"
#include "chardev/fd_chardev.h"
#include "chardev/socket_options.h"
#include "rhea/util/log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace rhea::chardev {
namespace {

// What came with one message (SCM_RIGHTS) and nobody has taken.
constexpr std::size_t kMaxDescriptors = 16;
// Bytes that the protocol has made and the peer has not read.
constexpr std::size_t kMaxRaw = 64 * KiB;
constexpr std::size_t kPayloadChunk = 16 * KiB;
constexpr i64 kAcceptAgainNs = kNsPerSecond / 2;
constexpr i64 kHandshakeNs = 10 * kNsPerSecond;

class SocketChardev final : public FdChardev {
 public:
  static constexpr std::string_view kName = "chardev-socket";
  using Extendable = Chardev;

  ~SocketChardev() override {
    // Another socket may have taken the name since.
    struct stat now{};
    if (file_.st_ino != 0 && stat(options_.address.path.c_str(), &now) == 0 &&
        now.st_ino == file_.st_ino && now.st_dev == file_.st_dev)
      unlink(options_.address.path.c_str());
  }

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues& options, Opening when) {
    auto socket = create<SocketChardev>();
    SocketChardev& self = *socket;
    self.use_loop(machine);
    self.machine_ = &machine;
    self.connector_.emplace(machine.loop());
    self.options_ = TRY(SocketOptions::take(options));
    TRY(expect_no_more(options));
    self.hangup_later_.init(machine.loop(), [&self] { self.hangup(); });
    self.break_later_.init(machine.loop(), [&self] { self.deliver(ChardevEvent::Break); });
    self.timer_.init(machine.realtime_clock(), [&self] { self.connect(); });
    self.accept_timer_.init(machine.realtime_clock(), [&self] { self.listen_again(); });
    self.handshake_timer_.init(machine.realtime_clock(), [&self] { self.hangup(); });
    TRY(self.options_.server ? self.serve(when) : self.connect_first(when));
    return socket;
  }

  void disconnect() override {
    if (peer_) hangup_later_.schedule();
  }
  std::vector<FileDescriptor> take_descriptors() override {
    return std::exchange(descriptors_, {});
  }
  std::string filename() const override;

 private:
  Result<> serve(Opening when);
  Result<> wait_for(const std::function<bool()>& done);
  void listen_again();
  void accept_client();
  Result<> connect_first(Opening when);
  void connect();
  void tried(Result<FileDescriptor> made);
  void begin(FileDescriptor fd);
  void shake_hands();
  void settled();

  void hangup() override;
  // The next client need not wait until the guest has read all that the last one left behind.
  void hangup_with_input() override {
    replaceable_ = true;
    listen_again();
  }
  ssize_t receive_some(std::span<u8> buffer) override;
  ssize_t receive_plain(std::span<u8> buffer);
  ssize_t send_some(int fd, std::span<const u8> data) override;
  bool flush_raw(int fd) override;
  Result<std::size_t> decode(std::span<const u8> raw, std::span<u8> buffer);
  void keep_descriptors(const cmsghdr& header);

  Machine* machine_{};
  SocketOptions options_;
  FileDescriptor listener_;
  struct stat file_{};  ///< the listener's name in the file system
  FileDescriptor peer_;
  bool replaceable_{false};
  EventLoop::Watch accept_watch_;
  std::optional<Connector> connector_;
  Timer timer_;  ///< reconnects
  Deferred hangup_later_, break_later_;
  Timer accept_timer_;
  Timer handshake_timer_;
  EventLoop::Watch handshake_watch_;
  std::unique_ptr<StreamProtocol> protocol_;  ///< of this peer; under output_mutex()
  std::string raw_;                           ///< for the peer to read; under output_mutex()
  std::vector<FileDescriptor> descriptors_;
};

std::string SocketChardev::filename() const {
  const char* role = options_.server ? ",server=on" : "";
  if (!peer_ || !connected()) {
    const std::string where = listener_ && options_.address.kind == SocketAddress::Kind::Tcp
                                  ? local_text(listener_.get())
                                  : options_.address.text();
    return fmt::format("disconnected:{}{}", options_.named(where), role);
  }
  const std::string peer = peer_text(peer_.get());
  const std::string local = local_text(peer_.get());
  const std::string here = options_.named(local.empty() ? "unix:" + options_.address.path : local);
  return peer.empty() ? here + role : fmt::format("{}{} <-> {}", here, role, peer);
}

// ---- Server

Result<> SocketChardev::serve(Opening when) {
  listener_ = TRY(options_.address.listen(when == Opening::AtStart));
  if (options_.address.kind == SocketAddress::Kind::Unix && !options_.address.abstract &&
      stat(options_.address.path.c_str(), &file_) < 0)
    file_ = {};
  listen_again();
  if (!options_.wait || when == Opening::Later) return {};
  report_info(fmt::format("waiting for connection on: {}", filename()));
  return wait_for([this] { return connected(); });
}

// Start-up goes on when it is done, or ends when the user ends the program.
Result<> SocketChardev::wait_for(const std::function<bool()>& done) {
  while (!done()) {
    machine_->loop().iterate(true);
    if (machine_->exit_code()) return fail("chardev: socket: ended while waiting for a connection");
  }
  return {};
}

void SocketChardev::listen_again() {
  const bool wanted = listener_ && (!peer_ || replaceable_);
  if (!wanted)
    accept_watch_.remove();
  else if (!accept_watch_)
    accept_watch_ =
        loop().watch_fd(listener_.get(), FdEvents::Read, [this](FdEvents) { accept_client(); });
}

void SocketChardev::accept_client() {
  FileDescriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
    // Without descriptors or memory the client stays in the queue, and the listener stays ready:
    // looked at again after a while.
    accept_watch_.remove();
    return accept_timer_.arm_in(kAcceptAgainNs);
  }
  if (peer_) hangup();
  begin(std::move(fd));
}

// ---- Client

Result<> SocketChardev::connect_first(Opening when) {
  if (options_.reconnect_seconds != 0) {
    connect();
    return {};
  }
  if (options_.address.kind != SocketAddress::Kind::Tcp) {
    begin(TRY(options_.address.connect()));
    return {};
  }
  if (when == Opening::Later) {
    connect();
    return {};
  }
  std::optional<Result<FileDescriptor>> made;
  connector_->start(options_.address, [&made](Result<FileDescriptor> fd) { made = std::move(fd); });
  TRY(wait_for([&made] { return made.has_value(); }));
  begin(TRY(std::move(*made)));
  return {};
}

void SocketChardev::connect() {
  connector_->start(options_.address,
                    [this](Result<FileDescriptor> made) { tried(std::move(made)); });
}

void SocketChardev::tried(Result<FileDescriptor> made) {
  if (made) return begin(std::move(*made));
  if (options_.reconnect_seconds != 0)
    timer_.arm_in(static_cast<i64>(options_.reconnect_seconds) * kNsPerSecond);
  else
    report_warning(fmt::format("chardev '{}': {}", name(), made.error().message()));
}

// ---- Connection

void SocketChardev::begin(FileDescriptor fd) {
  peer_ = std::move(fd);
  replaceable_ = false;
  const int on = 1;
  if (!options_.delay) setsockopt(peer_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (options_.server) listen_again();
  {
    const std::lock_guard lock(output_mutex());
    protocol_ = options_.make_protocol();
    raw_ = protocol_ != nullptr ? protocol_->greeting() : std::string();
    flush_raw(peer_.get());
  }
  if (protocol_ == nullptr || protocol_->open()) return settled();
  handshake_timer_.arm_in(kHandshakeNs);
  handshake_watch_ =
      loop().watch_fd(peer_.get(), FdEvents::Read, [this](FdEvents) { shake_hands(); });
}

void SocketChardev::shake_hands() {
  std::array<u8, 1 * KiB> raw;
  const ssize_t n = receive_plain(raw);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return hangup();
  if (!decode(std::span(raw).first(static_cast<std::size_t>(n)), {})) return hangup();
  if (protocol_->open()) settled();
}

void SocketChardev::settled() {
  handshake_timer_.cancel();
  handshake_watch_.remove();
  start(peer_.get(), peer_.get());
}

void SocketChardev::hangup() {
  if (!peer_) return;
  handshake_timer_.cancel();
  handshake_watch_.remove();
  stop();
  peer_.reset();
  descriptors_.clear();
  replaceable_ = false;
  {
    const std::lock_guard lock(output_mutex());
    raw_ = {};
    protocol_.reset();
  }
  if (options_.server)
    listen_again();
  else if (options_.reconnect_seconds != 0)
    timer_.arm_in(static_cast<i64>(options_.reconnect_seconds) * kNsPerSecond);
}

// ---- Bytes

ssize_t SocketChardev::receive_some(std::span<u8> buffer) {
  if (protocol_ == nullptr) return receive_plain(buffer);
  std::array<u8, kPayloadChunk> raw;
  const ssize_t n = receive_plain(std::span(raw).first(std::min(raw.size(), buffer.size())));
  if (n <= 0) return n;
  const auto decoded = decode(std::span(raw).first(static_cast<std::size_t>(n)), buffer);
  if (!decoded) return 0;
  if (*decoded > 0) return static_cast<ssize_t>(*decoded);
  errno = EAGAIN;
  return -1;
}

// The payload goes to `buffer`, which has room for as many bytes as are in `raw`.
Result<std::size_t> SocketChardev::decode(std::span<const u8> raw, std::span<u8> buffer) {
  const std::lock_guard lock(output_mutex());
  std::vector<u8> payload;
  const auto taken = protocol_->receive(raw, payload, raw_);
  if (!flush_raw(peer_.get()) && taken) wait_for_room();
  TRY(taken);
  if (raw_.size() > kMaxRaw) return fail("the peer does not read what it is answered");
  if (protocol_->take_break()) break_later_.schedule();
  std::ranges::copy(payload, buffer.begin());
  return payload.size();
}

ssize_t SocketChardev::receive_plain(std::span<u8> buffer) {
  iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxDescriptors * sizeof(int))> control{};
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

// Those of the last message are kept.
void SocketChardev::keep_descriptors(const cmsghdr& header) {
  descriptors_.clear();
  const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(&header) + i * sizeof(int), sizeof(int));
    descriptors_.emplace_back(fd);
  }
}

ssize_t SocketChardev::send_some(int fd, std::span<const u8> data) {
  if (protocol_ == nullptr)
    return ::send(fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (!flush_raw(fd)) {
    errno = EAGAIN;
    return -1;
  }
  data = data.first(std::min(data.size(), kPayloadChunk));
  protocol_->send(data, raw_);
  if (!flush_raw(fd)) wait_for_room();
  return static_cast<ssize_t>(data.size());
}

bool SocketChardev::flush_raw(int fd) {
  std::size_t sent = 0;
  while (sent < raw_.size()) {
    const ssize_t n =
        ::send(fd, raw_.data() + sent, raw_.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    // Nobody reads this any more: the loop hears of the hang-up by itself.
    if (n < 0 && errno != EAGAIN) sent = raw_.size();
    if (n < 0) break;
    sent += static_cast<std::size_t>(n);
  }
  raw_.erase(0, sent);
  return raw_.empty();
}

const RegisterType<SocketChardev> registration;
const RegisterBackend backend{{.name = "socket", .alias = "", .create = &SocketChardev::make}};

}  // namespace
}  // namespace rhea::chardev
