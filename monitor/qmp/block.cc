// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the drives.
#include "monitor/qmp/block.h"

#include "monitor/qmp/command.h"
#include "rhea/block/block_backend.h"

namespace rhea::qmp {

Json node_info(const BlockNode& node) {
  const NodeDetails details = node.details();
  Json image = {{"filename", node.filename()},
                {"format", node.format()},
                {"virtual-size", node.size()},
                {"dirty-flag", false}};
  if (details.allocated) image["actual-size"] = *details.allocated;
  Json info = {{"file", node.filename()},
               {"node-name", node.node_name},
               {"drv", node.format()},
               {"ro", node.read_only()},
               {"encrypted", false},
               {"detect_zeroes", enum_name(details.detect_zeroes)},
               {"write_threshold", 0},
               {"backing_file_depth", 0},
               {"cache",
                {{"writeback", details.cache.writeback},
                 {"direct", details.cache.direct},
                 {"no-flush", details.cache.no_flush}}},
               {"image", std::move(image)}};
  for (const char* limit : {"bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"})
    info[limit] = 0;
  return info;
}

namespace {

Json drive_info(const BlockBackend& drive) {
  const MediaDevice* media = drive.media();
  Json info = {{"device", drive.shown_name()},
               {"type", "unknown"},
               {"removable", drive.removable()},
               {"locked", media != nullptr && media->medium_locked()}};
  if (drive.device() != nullptr) info["qdev"] = drive.device_name();
  const bool has_tray = media != nullptr && media->has_tray();
  if (const auto status = drive.io_status(); !status.empty()) info["io-status"] = status;
  if (has_tray) info["tray_open"] = media->tray_open();
  if (drive.inserted()) info["inserted"] = node_info(*drive.medium());
  return info;
}

Result<Json> query_block(Context& context, const Json&) {
  Json list = Json::array();
  for (const BlockBackend* drive : drives(context.machine)) list.push_back(drive_info(*drive));
  return list;
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "BlockInfo",
                     .members = {{"device", "str"},
                                 {"qdev", "str", true},
                                 {"type", "str"},
                                 {"removable", "bool"},
                                 {"locked", "bool"},
                                 {"inserted", "any", true},
                                 {"tray_open", "bool", true},
                                 {"io-status", "str", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-block", .returns = "[BlockInfo]", .run = &query_block}),
};

}  // namespace
}  // namespace rhea::qmp
