// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/fd_sets.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

namespace rhea::fd_sets {
namespace {

constexpr std::string_view kPrefix = "/dev/fdset/";
constexpr std::size_t kMostMembers = 1024;

struct Owned {
  FileDescriptor fd;
  std::optional<std::string> opaque;
};

struct Table {
  std::mutex mutex;
  std::map<i64, std::vector<Owned>> sets;
};

Table& table() {
  static Table all;
  return all;
}

i64 free_id(const Table& all) {
  i64 id = 0;
  for (const auto& [used, members] : all.sets) {
    if (used != id) break;
    ++id;
  }
  return id;
}

std::size_t count(const Table& all) {
  std::size_t number = 0;
  for (const auto& [id, members] : all.sets) number += members.size();
  return number;
}

}  // namespace

Result<std::optional<i64>> id_in_path(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  const std::string_view number = path.substr(kPrefix.size());
  i64 id = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
  if (error != std::errc{} || end != number.data() + number.size() || id < 0 || id > kLargestId)
    return fail("'{}': '{}' is no number of a descriptor set", path, number);
  return id;
}

Result<i64> add(FileDescriptor fd, std::optional<i64> id, std::optional<std::string> opaque) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  if (id && (*id < 0 || *id > kLargestId))
    return fail("Parameter 'fdset-id' expects a non-negative value");
  if (count(all) >= kMostMembers) return fail("there are {} descriptors already", kMostMembers);
  const i64 set = id ? *id : free_id(all);
  auto& members = all.sets[set];
  members.insert(members.begin(), {.fd = std::move(fd), .opaque = std::move(opaque)});
  return set;
}

Result<> remove(i64 id, std::optional<int> fd) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  const auto what = [&] {
    return fd ? fmt::format("fdset-id:{}, fd:{}", id, *fd) : fmt::format("fdset-id:{}", id);
  };
  const auto set = all.sets.find(id);
  if (set == all.sets.end()) return fail("File descriptor named '{}' not found", what());
  auto& members = set->second;
  const auto gone =
      std::erase_if(members, [&](const Owned& m) { return !fd || m.fd.get() == *fd; });
  if (gone == 0) return fail("File descriptor named '{}' not found", what());
  if (members.empty()) all.sets.erase(set);
  return {};
}

std::vector<Set> list() {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  std::vector<Set> sets;
  for (const auto& [id, members] : all.sets) {
    Set set{.id = id, .members = {}};
    for (const Owned& member : members)
      set.members.push_back({.fd = member.fd.get(), .opaque = member.opaque});
    sets.push_back(std::move(set));
  }
  return sets;
}

Result<FileDescriptor> open(i64 id, int flags) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  const auto set = all.sets.find(id);
  if (set == all.sets.end()) return fail("there is no descriptor set {}", id);
  const auto usable = std::ranges::find_if(set->second, [&](const Owned& member) {
    const int mode = fcntl(member.fd.get(), F_GETFL) & O_ACCMODE;
    return mode == (flags & O_ACCMODE);
  });
  if (usable == set->second.end()) {
    const int wanted = flags & O_ACCMODE;
    return fail("descriptor set {} has none that is open for {}", id,
                wanted == O_RDONLY   ? "reading only"
                : wanted == O_WRONLY ? "writing only"
                                     : "reading and writing");
  }
  FileDescriptor copy(fcntl(usable->fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail("descriptor set {}: {}", id, errno_text(errno));
  constexpr int kSettable = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
  const int old = fcntl(copy.get(), F_GETFL);
  if (fcntl(copy.get(), F_SETFL, (old & ~kSettable) | (flags & kSettable)) != 0 ||
      ((flags & O_TRUNC) != 0 && ftruncate(copy.get(), 0) != 0 && errno != EINVAL))
    return fail("descriptor set {}: {}", id, errno_text(errno));
  return copy;
}

}  // namespace rhea::fd_sets
