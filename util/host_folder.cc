// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/host_folder.h"

#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

namespace rhea {
namespace {

FileDescriptor open_beneath(int folder, const std::string& name, u64 flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return FileDescriptor(
      static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how)));
}

bool is_regular(const FileDescriptor& file) {
  struct stat about{};
  return ::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode);
}

}  // namespace

Result<HostFolder> HostFolder::open(const std::string& path) {
  return HostFolder(
      TRY(open_host_file(path, {.flags = O_PATH | O_DIRECTORY, .kinds = FileKinds::Directory})));
}

Result<FileDescriptor> HostFolder::open_file(const std::string& name) const {
  return ask_file_system<FileDescriptor>(
      name, [folder = folder_, name]() -> Result<FileDescriptor> {
        // Looked at first: to open a device or a FIFO may do something by itself.
        const FileDescriptor place = open_beneath(folder->get(), name, O_PATH);
        if (!place) return fail("Could not open '{}': {}", name, errno_text(errno));
        if (!is_regular(place)) return fail("Could not open '{}': it is no regular file", name);
        FileDescriptor file = open_beneath(folder->get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (!file) return fail("Could not open '{}': {}", name, errno_text(errno));
        if (!is_regular(file)) return fail("Could not open '{}': it is no regular file", name);
        return file;
      });
}

}  // namespace rhea
