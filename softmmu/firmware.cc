// SPDX-License-Identifier: GPL-2.0-or-later
// Where firmware lies.
#include "rhea/softmmu/firmware.h"

#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

namespace rhea {
namespace {

constexpr std::array kFirmwareFolders = {"/usr/share/seabios", "/usr/share/qemu",
                                         "/usr/share/ovmf",    "/usr/share/OVMF",
                                         "/usr/lib/ipxe/qemu", "/usr/local/share/rhea"};

bool is_file(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

}  // namespace

Result<std::string> find_firmware(const Machine& machine, std::string_view name) {
  std::string plain(name);
  if (is_file(plain)) return plain;
  if (name.find('/') == std::string_view::npos) {
    for (const std::string& folder : machine.config.firmware_path)
      if (std::string path = folder + "/" + plain; is_file(path)) return path;
    for (const char* folder : kFirmwareFolders)
      if (std::string path = std::string(folder) + "/" + plain; is_file(path)) return path;
  }
  return fail(
      "firmware '{}' not found; Debian's packages seabios, ovmf and ipxe-qemu bring it, -L DIR "
      "names another folder",
      name);
}

Result<std::vector<u8>> read_file(const std::string& path, u64 limit) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd || fstat(fd.get(), &info) != 0)
    return fail("cannot open '{}': {}", path, errno_text(errno));
  if (!S_ISREG(info.st_mode)) return fail("'{}' is not a regular file", path);
  const auto size = static_cast<u64>(info.st_size);
  if (size > limit) return fail("'{}' is too large: {} bytes, at most {}", path, size, limit);
  std::vector<u8> data(size);
  u64 done = 0;
  while (done < size) {
    const ssize_t count = ::read(fd.get(), data.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("cannot read '{}': {}", path, errno_text(errno));
    if (count == 0) return fail("cannot read '{}': it became shorter", path);
    done += static_cast<u64>(count);
  }
  return data;
}

}  // namespace rhea
