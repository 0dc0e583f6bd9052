// SPDX-License-Identifier: GPL-2.0-or-later
// Which file system a path is on.
#include "util/mount_point.h"

#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace rhea {
namespace {

// Blanks and backslashes are written as three octal digits.
std::string unescaped(std::string_view field) {
  std::string text;
  for (std::size_t at = 0; at < field.size(); ++at) {
    if (field[at] == '\\' && at + 3 < field.size()) {
      text += static_cast<char>((field[at + 1] - '0') * 64 + (field[at + 2] - '0') * 8 +
                                (field[at + 3] - '0'));
      at += 3;
    } else {
      text += field[at];
    }
  }
  return text;
}

// "36 35 98:0 /root /mount/point …"
std::string fifth_field(std::string_view line) {
  for (int skipped = 0; skipped < 4; ++skipped) {
    const auto blank = line.find(' ');
    if (blank == line.npos) return {};
    line.remove_prefix(blank + 1);
  }
  return unescaped(line.substr(0, line.find(' ')));
}

bool is_below(std::string_view path, std::string_view folder) {
  if (!path.starts_with(folder)) return false;
  return folder.ends_with('/') || path.size() == folder.size() || path[folder.size()] == '/';
}

// The kernel's own file, which has no size. "" when there is none.
std::string mounts() {
  std::string text;
  const auto fd = open_host_file("/proc/self/mountinfo", {.flags = O_RDONLY});
  std::array<char, 4096> piece;
  while (fd) {
    const ssize_t count = ::read(fd->get(), piece.data(), piece.size());
    if (count <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

std::string mount_point_of(std::string_view path, std::string_view folder,
                           std::string_view mountinfo) {
  const std::string whole =
      (std::filesystem::path(folder) / std::filesystem::path(path)).lexically_normal();
  std::string best = "/";
  while (!mountinfo.empty()) {
    const auto end = mountinfo.find('\n');
    std::string point = fifth_field(mountinfo.substr(0, end));
    if (point.size() > best.size() && is_below(whole, point)) best = std::move(point);
    mountinfo.remove_prefix(end == mountinfo.npos ? mountinfo.size() : end + 1);
  }
  return best;
}

std::string mount_point_of(std::string_view path) {
  std::error_code ignored;  // a folder that has gone is none
  const std::string folder = std::filesystem::current_path(ignored);
  return mount_point_of(path, folder, mounts());
}

}  // namespace rhea
