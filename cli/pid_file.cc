// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/pid_file.h"

#include "rhea/util/host_file.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>

namespace rhea::cli {
namespace {

// The way out of the process needs the name, and finds no object any more.
std::string absolute_path;  // NOLINT(cert-err58-cpp): an empty string throws nothing

void remove_file() {
  if (!absolute_path.empty()) ::unlink(absolute_path.c_str());
  absolute_path.clear();
}

}  // namespace

Result<PidFile> PidFile::create(const std::string& path) {
  FileDescriptor fd = TRY(
      open_host_file(path, {.flags = O_RDWR | O_CREAT, .kinds = FileKinds::Regular, .mode = 0600}));
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd.get(), F_SETLK, &lock) != 0) return fail("another process has it");
  const std::string text = fmt::format("{}\n", getpid());
  auto written = ftruncate(fd.get(), 0) == 0
                     ? write_all(fd.get(), {reinterpret_cast<const u8*>(text.data()), text.size()})
                     : fail("{}", errno_text(errno));
  std::error_code ignored;
  absolute_path = std::filesystem::absolute(path, ignored).string();
  static const int registered = std::at_quick_exit(&remove_file);
  static_cast<void>(registered);
  PidFile file(std::move(fd));
  if (!written) return std::unexpected(std::move(written).error());
  return file;
}

PidFile::~PidFile() {
  if (fd_) remove_file();
}

}  // namespace rhea::cli
