// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what follows when the guest's watchdog expires.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

Result<> watchdog_action(Context& context, Arguments& arguments) {
  const std::string action = TRY(arguments.text("action"));
  TRY(arguments.end());
  TRY(context.call("watchdog-set-action", {{"action", action}}));
  return {};
}

const RegisterHmpCommand command({"watchdog_action",
                                  "[reset|shutdown|poweroff|pause|debug|none|inject-nmi]",
                                  "change watchdog action", &watchdog_action});

}  // namespace
}  // namespace rhea::hmp
