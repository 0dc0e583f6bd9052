// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user/interpose.h"

#include "net/user/message.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace rhea::net::user {
namespace {

/// Longer the guest's other traffic does not wait for a file.
constexpr int kPatienceMs = 1000;

// One thread, and C functions without an object: so they are global.
int files = -1;
int adopted = -1;
unsigned asked = 0;

/// The descriptor, or -1 with errno.
int ask(Json question) {
  const unsigned number = ++asked;
  question["ask"] = number;
  if (!send_message(files, question)) {
    errno = EIO;
    return -1;
  }
  while (true) {
    auto answer = receive_message(files, kPatienceMs);
    if (!answer || !*answer) {
      errno = answer ? ETIMEDOUT : EIO;
      return -1;
    }
    // One that came too late for an earlier question.
    if ((*answer)->body.value("ask", 0U) != number) continue;
    if (!(*answer)->descriptor) errno = (*answer)->body.value("errno", EIO);
    return (*answer)->descriptor.release();
  }
}

int open_for_slirp(std::string_view path) {
  constexpr std::string_view kFolder = kTftpPath;
  if (path == "/etc/resolv.conf") return ask({{"open", "resolver"}});
  // GLib's seed, before anything comes from the guest.
  if (path == "/dev/urandom")
    return static_cast<int>(
        ::syscall(SYS_openat, AT_FDCWD, "/dev/urandom", O_RDONLY | O_CLOEXEC, 0));
  if (path.starts_with(kFolder) && path.substr(kFolder.size()).starts_with('/')) {
    // A guest may ask for "/name", too.
    path.remove_prefix(std::min(path.find_first_not_of('/', kFolder.size()), path.size()));
    return ask({{"open", "tftp"}, {"name", path}});
  }
  errno = EACCES;
  return -1;
}

int connect_to_target(int socket, std::string_view path) {
  unsigned index = 0;
  path.remove_prefix(std::strlen(kTargetPath));
  std::from_chars(path.data(), path.data() + path.size(), index);
  const FileDescriptor target(ask({{"connect", index}}));
  if (!target) return -1;
  return ::dup3(target.get(), socket, O_CLOEXEC) < 0 ? -1 : 0;
}

}  // namespace

void ask_at(int files_socket) { files = files_socket; }
void next_socket_is(int socket) { adopted = socket; }

}  // namespace rhea::net::user

// ---- Under the C library's names

namespace user = rhea::net::user;

// Labels, since headers give some of these names to others of them.
extern "C" {

int user_open(const char* path, int flags, ...) __asm__("open");
int user_open64(const char* path, int flags, ...) __asm__("open64");
FILE* user_fopen(const char* path, const char* mode) __asm__("fopen");
FILE* user_fopen64(const char* path, const char* mode) __asm__("fopen64");
int user_stat(const char* path, struct stat* about) __asm__("stat");
int user_stat64(const char* path, struct stat* about) __asm__("stat64");
int user_socket(int family, int type, int protocol) __asm__("socket");
int user_connect(int socket, const sockaddr* address, socklen_t length) __asm__("connect");
int user_bind(int socket, const sockaddr* address, socklen_t length) __asm__("bind");
int user_listen(int socket, int backlog) __asm__("listen");

int user_open(const char* path, int /*flags*/, ...) { return user::open_for_slirp(path); }
int user_open64(const char* path, int /*flags*/, ...) { return user::open_for_slirp(path); }

FILE* user_fopen(const char* path, const char* mode) {
  const int fd = user::open_for_slirp(path);
  return fd < 0 ? nullptr : ::fdopen(fd, mode);
}
FILE* user_fopen64(const char* path, const char* mode) { return user_fopen(path, mode); }

// On 64-bit hosts both structures are one.
static_assert(sizeof(struct stat) == sizeof(struct stat64));
int user_stat(const char* path, struct stat* about) {
  const rhea::FileDescriptor fd(user::open_for_slirp(path));
  return fd ? ::fstat(fd.get(), about) : -1;
}
int user_stat64(const char* path, struct stat* about) { return user_stat(path, about); }

int user_socket(int family, int type, int protocol) {
  if (user::adopted >= 0) return std::exchange(user::adopted, -1);
  // Takes the place of what connect() is given by Rhea.
  if (family == AF_UNIX) return ::fcntl(user::files, F_DUPFD_CLOEXEC, 0);
  return static_cast<int>(::syscall(SYS_socket, family, type | SOCK_CLOEXEC, protocol));
}

int user_connect(int socket, const sockaddr* address, socklen_t length) {
  if (address->sa_family != AF_UNIX)
    return static_cast<int>(::syscall(SYS_connect, socket, address, length));
  const auto* const name = reinterpret_cast<const sockaddr_un*>(address);
  return user::connect_to_target(socket, name->sun_path);
}

// Rhea's sockets are bound and listen.
int user_bind(int /*socket*/, const sockaddr* /*address*/, socklen_t /*length*/) { return 0; }
int user_listen(int /*socket*/, int /*backlog*/) { return 0; }

}  // extern "C"
