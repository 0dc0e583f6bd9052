// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/message_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace rhea {
namespace {

/// Room for one descriptor.
struct Ancillary {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

FileDescriptor descriptor_of(msghdr& header) {
  FileDescriptor descriptor;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(part), sizeof number);
    descriptor = FileDescriptor(number);
  }
  return descriptor;
}

}  // namespace

u64 number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<u64>() : 0;
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<> send_message(int socket, const Json& body, int descriptor) {
  std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Ancillary ancillary;
  if (descriptor >= 0) {
    header.msg_control = ancillary.bytes.data();
    header.msg_controllen = ancillary.bytes.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  ssize_t sent{};
  do sent = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail("{}", errno_text(errno));
  return {};
}

Result<std::optional<Message>> receive_message(int socket, int wait_ms) {
  pollfd state{.fd = socket, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&state, 1, wait_ms);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return std::nullopt;
  if (ready < 0) return fail("{}", errno_text(errno));
  std::string text(kLongestMessage, '\0');
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Ancillary ancillary;
  header.msg_control = ancillary.bytes.data();
  header.msg_controllen = ancillary.bytes.size();
  const ssize_t length = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (length < 0) return fail("{}", errno_text(errno));
  Message message{.body = {}, .descriptor = descriptor_of(header)};
  if (length == 0) return fail("the other side is gone");
  if ((header.msg_flags & MSG_TRUNC) != 0) return fail("a message is too long");
  text.resize(static_cast<std::size_t>(length));
  message.body = Json::parse(text, nullptr, false);
  if (!message.body.is_object()) return fail("a message is no JSON object");
  return message;
}

}  // namespace rhea
