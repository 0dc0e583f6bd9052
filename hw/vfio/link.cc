// SPDX-License-Identifier: GPL-2.0-or-later
// The socket itself: what is sent, and the thread that reads.
#include "hw/vfio/link.h"

#include "util/socket_address.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>

namespace rhea::hw::vfio {
namespace {

constexpr std::size_t kMostUnsent = 4 * MiB;
constexpr int kLookMs = 250;

using Control = std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)>;

}  // namespace

Link::Link(Machine& machine, std::string name, Callbacks callbacks)
    : PeerLink(machine, std::move(name), "its server", std::move(callbacks)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Link::~Link() { close(); }

Result<std::shared_ptr<Link>> Link::connect(Machine& machine, std::string name,
                                            const std::string& path, Callbacks callbacks) {
  SocketAddress address;
  address.path = path;
  std::shared_ptr<Link> link(new Link(machine, std::move(name), std::move(callbacks)));
  link->channels_[0].socket = TRY(address.connect());
  link->reader_ = std::jthread([raw = link.get()] { raw->run(); });
  return link;
}

void Link::hang_up() {
  for (const Channel& channel : channels_)
    if (channel.socket) ::shutdown(channel.socket.get(), SHUT_RDWR);
  wake();
}

void Link::wake() { ::eventfd_write(wake_.get(), 1); }

std::string Link::words_of(const Message& request) const {
  return fmt::format("command {} with {} bytes", static_cast<unsigned>(request.command),
                     request.body.size());
}

// ---- Whoever sends

std::optional<Message> Link::ask(Command command, std::span<const u8> body,
                                 std::optional<Duration> patience) {
  const u64 id = next_id();
  send(channels_[0], {.id = static_cast<u16>(id), .command = static_cast<u16>(command)}, body, {});
  return wait_for(id, patience);
}

Result<Message> Link::inquire(Command command, std::span<const u8> body, std::size_t least,
                              Time limit) {
  const auto left = std::chrono::duration_cast<Duration>(limit - std::chrono::steady_clock::now());
  auto reply = ask(command, body, std::max(left, Duration(1)));
  const unsigned number = static_cast<unsigned>(command);
  if (!reply) return fail("{}", reason());
  if (reply->error != 0)
    return fail("its server refuses command {}: {}", number,
                errno_text(static_cast<int>(reply->error)));
  if (reply->body.size() < least)
    return fail("its server sends nonsense: a reply to command {} with {} bytes", number,
                reply->body.size());
  return std::move(*reply);
}

void Link::post(Command command, std::span<const u8> body, std::span<const int> descriptors,
                Handler replied) {
  const u64 id = next_id(std::move(replied), std::chrono::steady_clock::now() + kPatienceLater);
  send(channels_[0], {.id = static_cast<u16>(id), .command = static_cast<u16>(command)}, body,
       descriptors);
}

void Link::reply(const Message& request, std::span<const u8> body, u32 error) {
  if (!request.wants_reply) return;
  const Header header{.id = request.id,
                      .command = static_cast<u16>(request.command),
                      .flags = kTypeReply | (error != 0 ? kFlagError : 0),
                      .error = error};
  send(channels_[request.twin ? 1 : 0], header, error != 0 ? std::span<const u8>() : body, {});
}

void Link::send(Channel& channel, Header header, std::span<const u8> body,
                std::span<const int> descriptors) {
  Channel::Outgoing message;
  header.size = static_cast<u32>(sizeof header + body.size());
  message.bytes.resize(header.size);
  std::memcpy(message.bytes.data(), &header, sizeof header);
  if (!body.empty()) std::memcpy(message.bytes.data() + sizeof header, body.data(), body.size());
  // Copies: the message may go when the originals are closed.
  for (const int fd : descriptors)
    message.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  bool too_much = false;
  {
    const std::lock_guard guard(mutex_);
    if (channel.unsent.empty() && send_some(channel, message)) return;
    too_much = unsent_bytes_ + message.bytes.size() > kMostUnsent;
    if (!too_much) {
      unsent_bytes_ += message.bytes.size();
      channel.unsent.push_back(std::move(message));
    }
  }
  if (too_much)
    give_up("its server does not read what it is sent");
  else
    wake();
}

// True when all of it is sent, or lost for ever: then the reader says what the socket says.
bool Link::send_some(Channel& channel, Channel::Outgoing& message) {
  Control control{};
  for (;;) {
    const auto rest = std::span<const u8>(message.bytes).subspan(message.sent);
    iovec piece{.iov_base = const_cast<u8*>(rest.data()), .iov_len = rest.size()};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (const std::size_t count = message.descriptors.size(); count != 0) {
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
      for (std::size_t n = 0; n < count; ++n) {
        const int fd = message.descriptors[n].get();
        std::memcpy(CMSG_DATA(rights) + n * sizeof fd, &fd, sizeof fd);
      }
    }
    const ssize_t sent = ::sendmsg(channel.socket.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno != EAGAIN;
    message.descriptors.clear();
    message.sent += static_cast<std::size_t>(sent);
    if (message.sent == message.bytes.size()) return true;
  }
}

void Link::send_waiting(Channel& channel) {
  const std::lock_guard guard(mutex_);
  while (!channel.unsent.empty() && send_some(channel, channel.unsent.front())) {
    unsent_bytes_ -= channel.unsent.front().bytes.size();
    channel.unsent.pop_front();
  }
}

// ---- The reader's thread

void Link::run() {
  bool going = true;
  while (going && !over()) {
    std::array<pollfd, 3> states{};
    states[2] = {.fd = wake_.get(), .events = POLLIN, .revents = 0};
    {
      const std::lock_guard guard(mutex_);
      for (std::size_t n = 0; n < channels_.size(); ++n)
        states[n] = {
            .fd = n == 0 || twin_ ? channels_[n].socket.get() : -1,
            .events = static_cast<short>(POLLIN | (channels_[n].unsent.empty() ? 0 : POLLOUT)),
            .revents = 0};
    }
    ::poll(states.data(), states.size(), kLookMs);
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
    look_for_late();
    for (std::size_t n = 0; n < channels_.size() && going; ++n) {
      if ((states[n].revents & POLLOUT) != 0) send_waiting(channels_[n]);
      if ((states[n].revents & ~POLLOUT) != 0) going = receive(channels_[n]);
    }
  }
  if (!over()) give_up("its server has closed the socket");
}

// One message at most, so that the other socket has its turn. False at the end.
bool Link::receive(Channel& channel) {
  for (;;) {
    const std::size_t head = sizeof channel.header;
    auto bytes = std::span(reinterpret_cast<u8*>(&channel.header), head);
    const bool in_head = channel.got < head;
    if (!in_head) bytes = channel.message.body;
    const Progress progress =
        receive_piece(channel, bytes.subspan(in_head ? channel.got : channel.got - head));
    if (progress != Progress::Some) return progress == Progress::None;
    if (in_head && channel.got == head && !begin_message(channel)) return false;
    if (channel.got == head + channel.message.body.size() && channel.got >= head)
      return finish_message(channel);
  }
}

Link::Progress Link::receive_piece(Channel& channel, std::span<u8> into) {
  Control control{};
  iovec piece{.iov_base = into.data(), .iov_len = into.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(channel.socket.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? Progress::None : Progress::End;
  keep_descriptors(channel, &header);
  if (count == 0) return Progress::End;
  if ((header.msg_flags & MSG_CTRUNC) != 0 ||
      channel.message.descriptors.size() > kMostDescriptors) {
    nonsense(fmt::format("more than {} descriptors", kMostDescriptors));
    return Progress::End;
  }
  channel.got += static_cast<std::size_t>(count);
  return Progress::Some;
}

void Link::keep_descriptors(Channel& channel, void* header) {
  auto* const received = static_cast<msghdr*>(header);
  for (cmsghdr* part = CMSG_FIRSTHDR(received); part != nullptr;
       part = CMSG_NXTHDR(received, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t n = 0; n < count; ++n) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + n * sizeof fd, sizeof fd);
      channel.message.descriptors.emplace_back(fd);
    }
  }
}

// The header is there. False when it is nonsense.
bool Link::begin_message(Channel& channel) {
  const Header& header = channel.header;
  const u32 type = header.flags & kTypeMask;
  if (header.size < sizeof header || type > kTypeReply) {
    nonsense(fmt::format("a message of {} bytes and type {}", header.size, type));
    return false;
  }
  if (header.size - sizeof header > kMostBody) {
    nonsense(fmt::format("a message of {} bytes", header.size));
    return false;
  }
  channel.message.body.resize(header.size - sizeof header);
  return true;
}

bool Link::finish_message(Channel& channel) {
  const Header header = std::exchange(channel.header, {});
  Message message = std::exchange(channel.message, {});
  channel.got = 0;
  const bool is_reply = (header.flags & kTypeMask) == kTypeReply;
  message.command = static_cast<Command>(header.command);
  message.id = header.id;
  message.wants_reply = !is_reply && (header.flags & kFlagNoReply) == 0;
  message.twin = &channel != &channels_[0];
  if (is_reply && (header.flags & kFlagError) != 0)
    message.error = header.error != 0 ? header.error : EIO;
  return take(std::move(message), is_reply ? std::optional<u64>(header.id) : std::nullopt);
}

}  // namespace rhea::hw::vfio
