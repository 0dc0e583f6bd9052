// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: a line of the human monitor.
#include "monitor/hmp/session.h"
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

/// What a line may cost is bounded by its length; people's end at 4095.
constexpr std::size_t kLongestLine = 64 * KiB;

Result<Json> human_monitor_command(Context& context, const Json& arguments) {
  const std::string& line = text_argument(arguments, "command-line");
  if (line.size() > kLongestLine)
    return fail("Parameter 'command-line' is longer than {} bytes", kLongestLine);
  hmp::View view;
  if (arguments.contains("cpu-index")) view.cpu = TRY(cpu_argument(context, arguments));
  hmp::Context inner{.machine = context.machine, .view = view, .client = context.client, .out = {}};
  hmp::run_line(inner, line);
  if (inner.later) {
    context.later = std::make_shared<Later>();
    inner.later->on_finish(
        [outer = context.later, out = inner.out](const Result<Json>& result) mutable {
          out += hmp::last_words(result);
          outer->finish(hmp::with_carriage_returns(out));
        });
    return Json();
  }
  return hmp::with_carriage_returns(inner.out);
}

const RegisterQmpCommand registration{
    {.name = "human-monitor-command",
     .arguments = {{"command-line", "str"}, {"cpu-index", "int", true}},
     .returns = "str",
     .run = &human_monitor_command}};

}  // namespace
}  // namespace rhea::qmp
