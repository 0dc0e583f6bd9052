// SPDX-License-Identifier: GPL-2.0-or-later
#include "qom/plugin.h"

#include "qom/plugin_image.h"
#include "qom/plugin_types.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/host_file.h"
#include "rhea/util/types.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace rhea {
namespace {

constexpr u64 kLargestPlugin = 256 * MiB;

// What the loader maps is a copy in memory: the linker, or cp, may write a new one over the file
// while the old one runs. The descriptor stays open, since the loader takes two files of one name
// for one file, and its name is this number.
Result<std::string> copy_of(std::string_view name, std::span<const u8> image) {
  FileDescriptor fd(::memfd_create(std::string(name).c_str(), MFD_CLOEXEC));
  if (fd.get() < 0) return fail("no memory file for it: {}", errno_text(errno));
  TRY(write_all(fd.get(), image));
  // By process id, not "self": debuggers and symbolizers look it up, too.
  return fmt::format("/proc/{}/fd/{}", ::getpid(), fd.release());
}

Result<> open_library(const std::string& path) {
  const std::vector<u8> image = TRY(read_file(path, kLargestPlugin));
  const std::string identity = TRY(identity_of_plugin(image));
  if (identity != build_identity())
    return fail("it was built against another Rhea ({}; this one is {}): build it again", identity,
                build_identity());
  const std::string copy = TRY(copy_of(path.substr(path.rfind('/') + 1), image));
  if (::dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return {};
  std::string reason = ::dlerror();
  if (reason.starts_with(copy + ": ")) reason.erase(0, copy.size() + 2);
  return fail("{}", reason);
}

std::unexpected<Error> in_file(const std::string& path, Error error) {
  // Errors of the file system name the file already.
  if (error.message().find(path) != std::string::npos) return std::unexpected(std::move(error));
  return std::unexpected(std::move(error).within(path));
}

}  // namespace

std::string find_plugin(std::string_view name) {
  std::string own(name);
  if (name.find('/') != std::string_view::npos || ::access(own.c_str(), F_OK) == 0) return own;
  const char* given = std::getenv("RHEA_DEVICE_PLUGIN_PATH");
  std::string path = given != nullptr ? given : "";
  path += ":" RHEA_PLUGIN_FOLDER;
  for (std::string_view rest = path; !rest.empty();) {
    const auto colon = rest.find(':');
    const std::string file = fmt::format("{}/{}", rest.substr(0, colon), name);
    if (colon != 0 && ::access(file.c_str(), F_OK) == 0) return file;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return own;
}

Result<std::vector<const TypeInfo*>> load_plugin(const std::string& path) {
  PluginTypes types;
  if (auto opened = open_library(path); !opened) return in_file(path, std::move(opened).error());
  auto published = types.publish(path);
  if (!published) return in_file(path, std::move(published).error());
  return published;
}

Result<> load_extension(const std::string& path) {
  PluginTypes types;
  if (auto opened = open_library(path); !opened) return in_file(path, std::move(opened).error());
  if (types.empty()) return {};
  if (auto published = types.publish(path); !published)
    return in_file(path, std::move(published).error());
  return {};
}

}  // namespace rhea
