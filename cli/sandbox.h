// SPDX-License-Identifier: GPL-2.0-or-later
// -sandbox: which system calls are left to the process while the guest runs.
#pragma once

#include "rhea/util/error.h"

#include <optional>
#include <string>

namespace rhea::cli {

struct SandboxPolicy {
  enum class Elevation : unsigned char { Allow, Deny, Children };

  bool obsolete{false};                   ///< calls that only old programs make
  Elevation elevation{Elevation::Allow};  ///< changes of user, group and session; Children: only
                                          ///< not by what a set-user-id program would bring
  bool spawn{true};                       ///< new processes and programs
  bool resources{true};                   ///< priorities, affinities and limits
};

/// "on|off[,obsolete=…][,elevateprivileges=…][,spawn=…][,resourcecontrol=…]"; nothing for off.
Result<std::optional<SandboxPolicy>> parse_sandbox(const std::string& text);

/// From now on and for good, for all threads there are and will be: a call that is denied ends the
/// process (SIGSYS), one about resources fails with EPERM.
Result<> enter_sandbox(const SandboxPolicy& policy);

}  // namespace rhea::cli
