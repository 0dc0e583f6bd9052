// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what memory the machine has and what stands behind it.
#include "monitor/qmp/command.h"
#include "softmmu/memory_backend.h"

namespace rhea::qmp {
namespace {

// The machine's memory, unless -object made it.
Json board_memory(const MachineConfig& config) {
  return {{"id", "pc.ram"},  {"size", config.ram_size},         {"merge", true},
          {"dump", true},    {"prealloc", config.ram.prealloc}, {"share", config.ram.share},
          {"reserve", true}, {"host-nodes", Json::array()},     {"policy", "default"}};
}

Json backend_memory(const MemoryBackend& backend) {
  const RamOptions options = backend.ram_options();
  return {{"id", backend.name()},
          {"size", backend.size()},
          {"merge", backend.merge()},
          {"dump", backend.dump()},
          {"prealloc", options.prealloc},
          {"share", options.share || options.backing == RamBacking::Memfd ||
                        options.backing == RamBacking::Huge},
          {"reserve", true},
          {"host-nodes", Json::array()},
          {"policy", "default"}};
}

Result<Json> query_memdev(Context& context, const Json&) {
  Json list = Json::array();
  bool board_has_its_own = true;
  for (const auto& child : context.machine.container(MemoryBackend::kLinkRoot).children())
    if (const auto* backend = dynamic_cast<const MemoryBackend*>(child.get())) {
      list.push_back(backend_memory(*backend));
      board_has_its_own &= !backend->taken();
    }
  if (board_has_its_own) list.push_back(board_memory(context.machine.config));
  return list;
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
