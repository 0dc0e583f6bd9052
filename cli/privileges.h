// SPDX-License-Identifier: GPL-2.0-or-later
// -chroot and -runas: what the process can reach, and as whom.
#pragma once

#include "rhea/util/error.h"

#include <sys/types.h>

#include <string>

namespace rhea::cli {

struct User {
  uid_t uid{};
  gid_t gid{};
  std::string name;  ///< empty where only numbers were given
};

/// "user", or "uid:gid".
Result<User> find_user(const std::string& text);
/// For good: neither the group nor the user can be had back.
Result<> become(const User& user);
Result<> change_root(const std::string& folder);

}  // namespace rhea::cli
