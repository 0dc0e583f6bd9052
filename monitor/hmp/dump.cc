// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: dumps of guest memory.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

struct FormatFlag {
  char letter;
  const char* format;
};
constexpr FormatFlag kFormats[] = {
    {'z', "kdump-zlib"}, {'l', "kdump-lzo"}, {'s', "kdump-snappy"}, {'w', "win-dmp"}};

Result<> dump_guest_memory(Context& context, Arguments& arguments) {
  Json request = {{"paging", arguments.flag('p')}};
  request["detach"] = arguments.flag('d');
  for (const FormatFlag& flag : kFormats) {
    if (!arguments.flag(flag.letter)) continue;
    if (request.contains("format")) return fail("only one of '-z|-l|-s|-w' can be set");
    request["format"] = flag.format;
  }
  const std::string filename = TRY(arguments.text("filename"));
  request["protocol"] = "file:" + filename;
  if (const auto begin = TRY(arguments.optional_number())) {
    request["begin"] = *begin;
    if (const auto length = TRY(arguments.optional_number())) request["length"] = *length;
  }
  TRY(arguments.end());
  TRY(context.call("dump-guest-memory", request));
  return {};
}

Result<> dump_status(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("query-dump"));
  context.print("Status: {}\n", answer["status"].get<std::string>());
  const auto total = answer["total"].get<double>();
  if (answer["status"] == "active" && total > 0)
    context.print("Finished: {:.2f} %\n", 100.0 * answer["completed"].get<double>() / total);
  return {};
}

const RegisterHmpCommand command{
    {"dump-guest-memory", "[-p] [-d] [-z|-l|-s|-w] filename [begin length]",
     "dump guest memory into file 'filename' (-p: with the guest's "
     "memory mapping; -d: do not wait for its end; -z: kdump's format, "
     "compressed by zlib)",
     &dump_guest_memory}};
const RegisterInfo registration{{"dump", "", "display the latest dump status", &dump_status}};

}  // namespace
}  // namespace rhea::hmp
