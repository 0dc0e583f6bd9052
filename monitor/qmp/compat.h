// SPDX-License-Identifier: GPL-2.0-or-later
// -compat: whether QMP takes what is deprecated or unstable.
#pragma once

#include "monitor/qmp/command.h"

namespace rhea::qmp {

enum class InputPolicy : u8 { Accept, Reject, Crash };
enum class OutputPolicy : u8 { Accept, Hide };

class CompatPolicy final : public MachineService {
 public:
  explicit CompatPolicy(Machine&) {}

  InputPolicy deprecated_input{InputPolicy::Accept}, unstable_input{InputPolicy::Accept};
  OutputPolicy deprecated_output{OutputPolicy::Accept}, unstable_output{OutputPolicy::Accept};
};

/// An error if the policy rejects the command or one of the arguments; Crash ends the process, as
/// a test of a client asks for.
Result<> check_policy(const CompatPolicy& policy, const Command& command, const Json& arguments);

}  // namespace rhea::qmp
