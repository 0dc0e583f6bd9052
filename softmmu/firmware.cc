// SPDX-License-Identifier: GPL-2.0-or-later
// Where firmware lies.
#include "rhea/softmmu/firmware.h"

#include "rhea/softmmu/machine.h"
#include "rhea/util/fd_sets.h"

#include <sys/stat.h>

#include <array>

namespace rhea {
namespace {

constexpr std::array kFirmwareFolders = {"/usr/share/seabios", "/usr/share/qemu",
                                         "/usr/share/ovmf",    "/usr/share/OVMF",
                                         "/usr/lib/ipxe/qemu", "/usr/local/share/rhea"};

Result<bool> is_file(const std::string& path) {
  if (const auto set = fd_sets::id_in_path(path); set && *set) return true;
  return ask_file_system<bool>(path, [path]() -> Result<bool> {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
  });
}

}  // namespace

Result<std::string> find_firmware(const Machine& machine, std::string_view name) {
  std::string plain(name);
  if (TRY(is_file(plain))) return plain;
  if (name.find('/') == std::string_view::npos) {
    for (const std::string& folder : machine.config.firmware_path)
      if (std::string path = folder + "/" + plain; TRY(is_file(path))) return path;
    for (const char* folder : kFirmwareFolders)
      if (std::string path = std::string(folder) + "/" + plain; TRY(is_file(path))) return path;
  }
  return fail(
      "firmware '{}' not found; Debian's packages seabios, ovmf and ipxe-qemu bring it, -L DIR "
      "names another folder",
      name);
}

}  // namespace rhea
