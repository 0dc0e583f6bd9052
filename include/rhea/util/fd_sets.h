// SPDX-License-Identifier: GPL-2.0-or-later
// Descriptors that somebody handed to the process (-add-fd, QMP add-fd), to be opened as
// "/dev/fdset/N" wherever a host file is. They belong to the process, as all descriptors do, and
// so are not a machine's.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::fd_sets {

struct Member {
  int fd;
  std::optional<std::string> opaque;  ///< the user's own remark
};
struct Set {
  i64 id;
  std::vector<Member> members;  ///< youngest first, as QEMU lists them
};

inline constexpr i64 kLargestId = 0x7fff'ffff;

/// The id in "/dev/fdset/N"; nothing for any other path, an error where N is no number.
Result<std::optional<i64>> id_in_path(std::string_view path);

/// Adds to a set, which is made if need be; without an id to a new one with the least free id.
/// Returns the set's id.
Result<i64> add(FileDescriptor fd, std::optional<i64> id, std::optional<std::string> opaque);
/// Closes one member, or all; a set without members is gone.
Result<> remove(i64 id, std::optional<int> fd);
std::vector<Set> list();
/// A copy of the member that was opened for what `flags` ask (reading, writing, both).
Result<FileDescriptor> open(i64 id, int flags);

}  // namespace rhea::fd_sets
