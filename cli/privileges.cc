// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <vector>

namespace rhea::cli {
namespace {

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<User> find_user(const std::string& text) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return User{.uid = entry.pw_uid, .gid = entry.pw_gid, .name = text};
  const auto colon = text.find(':');
  const auto uid = number(std::string_view(text).substr(0, colon));
  const auto gid = colon == std::string::npos ? std::nullopt : number(text.substr(colon + 1));
  if (uid && gid) return User{.uid = *uid, .gid = *gid, .name = {}};
  return fail("-runas {}: no user has this name (uid:gid works, too)", text);
}

Result<> become(const User& user) {
  const auto failed = [&](std::string_view what) {
    return fail("-runas {}: cannot change the {}: {}",
                user.name.empty() ? fmt::format("{}:{}", user.uid, user.gid) : user.name, what,
                errno_text(errno));
  };
  if (setgid(user.gid) != 0) return failed("group");
  const bool named = !user.name.empty();
  if ((named ? initgroups(user.name.c_str(), user.gid) : setgroups(1, &user.gid)) != 0)
    return failed("supplementary groups");
  if (setuid(user.uid) != 0) return failed("user");
  if (user.uid != 0 && setuid(0) == 0) {
    errno = EPERM;
    return failed("user for good");
  }
  return {};
}

Result<> change_root(const std::string& folder) {
  if (::chroot(folder.c_str()) != 0 || ::chdir("/") != 0)
    return fail("-chroot {}: {}", folder, errno_text(errno));
  return {};
}

}  // namespace rhea::cli
