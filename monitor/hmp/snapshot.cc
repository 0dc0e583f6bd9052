// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: the whole machine to a file and back.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

Result<> start(Context& context, Arguments& arguments, std::string_view command) {
  Json request = {{"detach", arguments.flag('d')}};
  request["filename"] = TRY(arguments.text("filename"));
  TRY(arguments.end());
  TRY(context.call(command, request));
  return {};
}

Result<> save(Context& context, Arguments& arguments) {
  return start(context, arguments, "x-snapshot-save");
}
Result<> load(Context& context, Arguments& arguments) {
  return start(context, arguments, "x-snapshot-load");
}

Result<> cancel(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  TRY(context.call("x-snapshot-cancel"));
  return {};
}

Result<> info(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("x-query-snapshot"));
  if (answer["operation"] == "none") {
    context.print("no snapshot was saved or loaded\n");
    return {};
  }
  context.print("{} '{}': {}\n", answer["operation"].get<std::string>(),
                answer["filename"].get<std::string>(), answer["status"].get<std::string>());
  const auto total = answer["total"].get<double>();
  if (answer["status"] == "active" && total > 0)
    context.print("Finished: {:.2f} %\n", 100.0 * answer["completed"].get<double>() / total);
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"x-snapshot-save", "[-d] filename",
                        "save memory and devices to file 'filename'; the guest stands still "
                        "meanwhile (-d: do not wait for its end)",
                        &save}),
    RegisterHmpCommand({"x-snapshot-load", "[-d] filename",
                        "become the machine that x-snapshot-save wrote to file 'filename' (-d: do "
                        "not wait for its end)",
                        &load}),
    RegisterHmpCommand({"x-snapshot-cancel", "",
                        "end the saving or loading of a snapshot that is under way", &cancel}),
};
const RegisterInfo registration{
    {"x-snapshot", "", "the latest snapshot that was saved or loaded, and how far it is", &info}};

}  // namespace
}  // namespace rhea::hmp
