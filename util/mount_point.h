// SPDX-License-Identifier: GPL-2.0-or-later
// Which file system a path is on, without asking that file system, which may not answer.
#pragma once

#include <string>
#include <string_view>

namespace rhea {

/// By the text of /proc/self/mountinfo (proc(5)): where the file system of `path` is mounted. The
/// path is taken from `folder` when it does not begin with a slash; links are not followed. "/"
/// when nothing is known. Any thread.
std::string mount_point_of(std::string_view path, std::string_view folder,
                           std::string_view mountinfo);
/// The same for this process.
std::string mount_point_of(std::string_view path);

}  // namespace rhea
