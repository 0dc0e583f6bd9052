// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: the balloon.
#include "monitor/hmp/command.h"

#include <limits>

namespace rhea::hmp {
namespace {

Result<> balloon(Context& context, Arguments& arguments) {
  const u64 target = TRY(arguments.number());
  TRY(arguments.end());
  constexpr u64 kMost = std::numeric_limits<i64>::max() / MiB;
  if (target > kMost) return arguments.wrong(fmt::format("{} MiB are more than {}", target, kMost));
  TRY(context.call("balloon", {{"value", target * MiB}}));
  return {};
}

Result<> info_balloon(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const qmp::Json answer = TRY(context.call("query-balloon"));
  context.print("balloon: actual={}\n", answer["actual"].get<u64>() / MiB);
  return {};
}

const RegisterHmpCommand command({"balloon", "target",
                                  "request VM to change its memory allocation (in MB)", &balloon});
const RegisterInfo info({"balloon", "", "show balloon information", &info_balloon});

}  // namespace
}  // namespace rhea::hmp
