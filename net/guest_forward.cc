// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/guest_forward.h"

#include "net/forward_rule.h"
#include "rhea/util/host_file.h"
#include "util/decimal.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

namespace rhea::net {
namespace {

Result<std::vector<std::string>> program_words(std::string_view text) {
  int count = 0;
  char** words = nullptr;
  GError* error = nullptr;
  if (g_shell_parse_argv(std::string(text).c_str(), &count, &words, &error) == 0) {
    const std::string why = error->message;
    g_error_free(error);
    return fail("{}", why);
  }
  std::vector<std::string> all(words, words + count);
  g_strfreev(words);
  return all;
}

/// 0 for what is none.
u16 port_in(std::string_view text) { return decimal<u16>(text).value_or(0); }

Result<> parse_target(std::string_view text, GuestForward& forward) {
  const auto kind = cut(text, ':');
  if (kind == "cmd") {
    forward.kind = GuestForward::Kind::Command;
    forward.target = TRY(program_words(text));
    return {};
  }
  if (kind == "unix") {
    forward.kind = GuestForward::Kind::Unix;
    forward.target = {std::string(text)};
    if (text.empty() || text.size() >= sizeof(sockaddr_un::sun_path))
      return fail("a socket's path is expected");
    return {};
  }
  if (kind != "tcp") return fail("it leads to tcp:HOST:PORT, unix:PATH or cmd:PROGRAM");
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || port_in(text.substr(colon + 1)) == 0)
    return fail("tcp:HOST:PORT is expected");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  forward.target = {std::string(host.empty() ? "127.0.0.1" : host),
                    std::string(text.substr(colon + 1))};
  return {};
}

Result<GuestForward> parse_rule(std::string_view rest) {
  GuestForward forward;
  const auto protocol = cut(rest, ':');
  if (!protocol || (*protocol != "tcp" && !protocol->empty())) return fail("it begins with tcp:");
  const auto address = cut(rest, ':');
  if (!address || !read_address(*address, forward.address)) return fail("Bad guest address");
  const auto port = cut(rest, '-');
  if (!port) return fail("Missing - separator");
  forward.port = port_in(*port);
  if (forward.port == 0) return fail("Bad guest port");
  TRY(parse_target(rest, forward));
  return forward;
}

/// A socket whose connection is made or under way.
Result<FileDescriptor> connect_to(int family, const sockaddr* address, socklen_t length) {
  FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("{}", errno_text(errno));
  if (::connect(fd.get(), address, length) != 0 && errno != EINPROGRESS)
    return fail("{}", errno_text(errno));
  return fd;
}

Result<FileDescriptor> connect_tcp(const std::string& host, const std::string& port) {
  return ask_file_system<FileDescriptor>(host, [host, port]() -> Result<FileDescriptor> {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
      return fail("{}", ::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
    return connect_to(found->ai_family, found->ai_addr, found->ai_addrlen);
  });
}

Result<FileDescriptor> connect_unix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name);
}

}  // namespace

Result<GuestForward> GuestForward::parse(std::string_view rule) {
  auto forward = parse_rule(rule);
  if (!forward)
    return fail("Invalid guest forwarding rule '{}' ({})", rule, forward.error().message());
  return forward;
}

Result<FileDescriptor> GuestForwardTargets::connect(std::size_t index) {
  if (index >= forwards_.size()) return fail("there is no such target");
  const GuestForward& forward = forwards_[index];
  switch (forward.kind) {
    case GuestForward::Kind::Tcp: return connect_tcp(forward.target[0], forward.target[1]);
    case GuestForward::Kind::Unix: return connect_unix(forward.target[0]);
    case GuestForward::Kind::Command: return start(forward.target);
  }
  return fail("there is no such target");
}

Result<FileDescriptor> GuestForwardTargets::start(const std::vector<std::string>& words) {
  std::erase_if(programs_, [](ChildProcess& program) { return program.wait(0).has_value(); });
  if (programs_.size() >= kMostPrograms)
    return fail("{} programs of this network run already", kMostPrograms);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail("{}", errno_text(errno));
  FileDescriptor ours(ends[0]);
  const FileDescriptor programs(ends[1]);
  const std::array<ChildProcess::Descriptor, 2> streams{
      {{.ours = programs.get(), .as = 0}, {.ours = programs.get(), .as = 1}}};
  programs_.push_back(TRY(ChildProcess::start(words, streams)));
  return ours;
}

}  // namespace rhea::net
