// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what memory the machine has and what stands behind it.
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

// The machine's memory, unless -object made it.
Json board_memory(const MachineConfig& config) {
  return {{"id", "pc.ram"},  {"size", config.ram_size},         {"merge", true},
          {"dump", true},    {"prealloc", config.ram.prealloc}, {"share", config.ram.share},
          {"reserve", true}, {"host-nodes", Json::array()},     {"policy", "default"}};
}

Result<Json> query_memdev(Context& context, const Json&) {
  return Json::array({board_memory(context.machine.config)});
}

Result<Json> query_memory_size_summary(Context& context, const Json&) {
  return Json{{"base-memory", context.machine.config.ram_size}, {"plugged-memory", 0}};
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "HostMemPolicy", .values = {"default", "preferred", "bind", "interleave"}}),
    RegisterQmpType({.name = "Memdev",
                     .members = {{"id", "str", true},
                                 {"size", "size"},
                                 {"merge", "bool"},
                                 {"dump", "bool"},
                                 {"prealloc", "bool"},
                                 {"share", "bool"},
                                 {"reserve", "bool", true},
                                 {"host-nodes", "[uint16]"},
                                 {"policy", "HostMemPolicy"}}}),
    RegisterQmpType({.name = "MemoryInfo",
                     .members = {{"base-memory", "size"}, {"plugged-memory", "size", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-memdev", .returns = "[Memdev]", .run = &query_memdev}),
    RegisterQmpCommand({.name = "query-memory-size-summary",
                        .returns = "MemoryInfo",
                        .run = &query_memory_size_summary}),
};

}  // namespace
}  // namespace rhea::qmp
