// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/helper_program.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

namespace rhea {

Result<std::string> find_helper(const std::string& name, const std::string& build_folder) {
  std::array<char, PATH_MAX> self{};
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  const std::string_view path(self.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
  const std::string folder(path.substr(0, path.rfind('/')));
  // Test programs lie a folder deeper than Rhea.
  for (const std::string& place :
       {folder + "/" + build_folder + "/", folder + "/../" + build_folder + "/",
        folder + "/../" RHEA_LIBEXEC, std::string(RHEA_LIBEXEC_ROOT)})
    if (std::string program = place + name; ::access(program.c_str(), X_OK) == 0) return program;
  return fail("{} is not there (it comes with Rhea, in {})", name, RHEA_LIBEXEC_ROOT);
}

FileDescriptor out_of_the_way(int fd) {
  constexpr int kAbove = 16;
  return FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, kAbove));
}

Result<HelperSocket> helper_socket() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail("{}", errno_text(errno));
  const FileDescriptor its(ends[1]);
  return HelperSocket{.ours = FileDescriptor(ends[0]), .its = out_of_the_way(its.get())};
}

}  // namespace rhea
