// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what drives have done.
#include "monitor/qmp/command.h"
#include "rhea/block/block_backend.h"

namespace rhea::qmp {
namespace {

// What is not counted is zero: nothing is merged, and nobody measures times.
constexpr std::string_view kUncounted[] = {"rd_total_time_ns",
                                           "wr_total_time_ns",
                                           "flush_total_time_ns",
                                           "unmap_total_time_ns",
                                           "wr_highest_offset",
                                           "rd_merged",
                                           "wr_merged",
                                           "unmap_merged",
                                           "failed_rd_operations",
                                           "failed_wr_operations",
                                           "failed_flush_operations",
                                           "failed_unmap_operations",
                                           "invalid_rd_operations",
                                           "invalid_wr_operations",
                                           "invalid_flush_operations",
                                           "invalid_unmap_operations"};

Json stats_of(const BlockBackend& drive) {
  const auto& counted = drive.statistics();
  Json stats = {{"rd_bytes", counted.read_bytes},
                {"wr_bytes", counted.written_bytes},
                {"rd_operations", counted.reads},
                {"wr_operations", counted.writes},
                {"flush_operations", counted.flushes},
                {"unmap_bytes", counted.discarded_bytes},
                {"unmap_operations", counted.discards},
                {"account_invalid", false},
                {"account_failed", false},
                {"timed_stats", Json::array()}};
  for (const std::string_view counter : kUncounted) stats[std::string(counter)] = 0;
  return stats;
}

Result<Json> query_blockstats(Context& context, const Json& arguments) {
  const bool nodes = argument(arguments, "query-nodes", false);
  Json list = Json::array();
  for (const BlockBackend* drive : drives(context.machine)) {
    Json entry = {{"stats", stats_of(*drive)}};
    if (drive->inserted()) entry["node-name"] = drive->medium()->node_name;
    if (!nodes) entry["device"] = drive->shown_name();
    if (!nodes && drive->device() != nullptr) entry["qdev"] = drive->device_name();
    list.push_back(std::move(entry));
  }
  return list;
}

const RegisterQmpCommand registration{{.name = "query-blockstats",
                                       .arguments = {{"query-nodes", "bool", true}},
                                       .returns = "[any]",
                                       .run = &query_blockstats}};

}  // namespace
}  // namespace rhea::qmp
