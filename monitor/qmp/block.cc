// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the drives.
#include "monitor/qmp/command.h"
#include "rhea/block/block_backend.h"

namespace rhea::qmp {
namespace {

Json medium_info(const BlockBackend& drive) {
  Json info = {{"file", drive.filename()},
               {"drv", drive.format()},
               {"ro", drive.read_only()},
               {"encrypted", false},
               {"detect_zeroes", "off"},
               {"write_threshold", 0},
               {"backing_file_depth", 0},
               {"cache", {{"writeback", true}, {"direct", false}, {"no-flush", false}}},
               {"image",
                {{"filename", drive.filename()},
                 {"format", drive.format()},
                 {"virtual-size", drive.size()}}}};
  for (const char* limit : {"bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"})
    info[limit] = 0;
  return info;
}

Json drive_info(const BlockBackend& drive) {
  const MediaDevice* media = drive.media();
  Json info = {{"device", drive.shown_name()},
               {"type", "unknown"},
               {"removable", drive.removable()},
               {"locked", media != nullptr && media->medium_locked()}};
  if (drive.device() != nullptr) info["qdev"] = drive.device_name();
  if (media != nullptr && media->has_tray()) info["tray_open"] = media->tray_open();
  if (drive.is_cdrom() || drive.inserted()) info["io-status"] = "ok";
  if (drive.inserted()) info["inserted"] = medium_info(drive);
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
