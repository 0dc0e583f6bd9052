// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what HMP's `info` says, for programs that show it to people (QEMU's unstable x-query-…).
#include "monitor/hmp/session.h"
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

/// Lines that end at once: none of these waits for anything.
template <const char* const* Line>
Result<Json> shown(Context& context, const Json&) {
  hmp::View view;
  hmp::Context inner{.machine = context.machine, .view = view, .client = context.client, .out = {}};
  hmp::run_line(inner, *Line);
  return Json{{"human-readable-text", inner.out}};
}
constexpr const char* kIrq = "info irq";
constexpr const char* kNuma = "info numa";
constexpr const char* kRamblock = "info ramblock";
constexpr const char* kRoms = "info roms";

const RegisterQmpType text{
    {.name = "HumanReadableText", .members = {{"human-readable-text", "str"}}}};
RegisterQmpCommand command(std::string_view name, Result<Json> (*run)(Context&, const Json&)) {
  return RegisterQmpCommand({.name = name, .returns = "HumanReadableText", .run = run});
}
const RegisterQmpCommand commands[] = {
    command("x-query-irq", &shown<&kIrq>), command("x-query-numa", &shown<&kNuma>),
    command("x-query-ramblock", &shown<&kRamblock>), command("x-query-roms", &shown<&kRoms>)};

}  // namespace
}  // namespace rhea::qmp
