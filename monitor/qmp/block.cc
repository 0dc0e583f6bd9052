// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: drives and their media.
#include "monitor/qmp/command.h"
#include "rhea/block/block_backend.h"
#include "rhea/qom/registry.h"

namespace rhea::qmp {
namespace {

// The device whose property "drive" leads to the backend.
const Device* user_of(Machine& machine, const BlockBackend& drive) {
  const Device* user = nullptr;
  const std::string path = drive.path();
  machine.visit([&](Object& object) {
    const auto* device = dynamic_cast<const Device*>(&object);
    if (device == nullptr || device->type().find_property("drive") == nullptr) return;
    const auto value = device->get("drive");
    if (value && rhea::to_text(*value) == path) user = device;
  });
  return user;
}

bool is_removable(const BlockBackend& drive) {
  return drive.is_cdrom() || drive.interface == DriveInterface::Floppy;
}

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

Json drive_info(Machine& machine, const BlockBackend& drive) {
  Json info = {{"device", drive.name()},
               {"type", "unknown"},
               {"removable", is_removable(drive)},
               {"locked", false}};
  if (const Device* user = user_of(machine, drive)) info["qdev"] = user->path();
  if (drive.is_cdrom()) info["tray_open"] = false;
  if (drive.is_cdrom() || drive.inserted()) info["io-status"] = "ok";
  if (drive.inserted()) info["inserted"] = medium_info(drive);
  return info;
}

Result<Json> query_block(Context& context, const Json&) {
  Json list = Json::array();
  for (const BlockBackend* drive : drives(context.machine))
    list.push_back(drive_info(context.machine, *drive));
  return list;
}

// By the drive's name ("device") or its device's id or path ("id").
Result<BlockBackend*> drive_argument(Context& context, const Json& arguments) {
  if (arguments.contains("device") == arguments.contains("id"))
    return fail("Need exactly one of 'device' and 'id'");
  const bool by_device = arguments.contains("id");
  const auto& name = text_argument(arguments, by_device ? "id" : "device");
  for (BlockBackend* drive : drives(context.machine)) {
    const Device* user = by_device ? user_of(context.machine, *drive) : nullptr;
    const bool found = by_device ? user != nullptr && (user->id() == name || user->path() == name)
                                 : drive->name() == name;
    if (found) return drive;
  }
  return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", name);
}

Result<BlockBackend*> removable_argument(Context& context, const Json& arguments) {
  BlockBackend* drive = TRY(drive_argument(context, arguments));
  if (!is_removable(*drive)) return fail("Device '{}' is not removable", drive->name());
  return drive;
}

Result<Json> eject(Context& context, const Json& arguments) {
  BlockBackend& drive = *TRY(removable_argument(context, arguments));
  if (drive.inserted()) drive.eject();
  return Json();
}

Result<Json> change_medium(Context& context, const Json& arguments) {
  BlockBackend& drive = *TRY(removable_argument(context, arguments));
  const std::string mode = argument<std::string>(arguments, "read-only-mode", "retain");
  ImageOptions options{.filename = text_argument(arguments, "filename"),
                       .format = argument<std::string>(arguments, "format", ""),
                       .read_only = drive.is_cdrom() || mode == "read-only"};
  auto image = TRY(open_image(options));
  if (drive.inserted()) drive.eject();
  drive.insert(std::move(image));
  return Json();
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
    RegisterQmpType(
        {.name = "BlockdevChangeReadOnlyMode", .values = {"retain", "read-only", "read-write"}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-block", .returns = "[BlockInfo]", .run = &query_block}),
    RegisterQmpCommand(
        {.name = "eject",
         .arguments = {{"device", "str", true}, {"id", "str", true}, {"force", "bool", true}},
         .run = &eject}),
    RegisterQmpCommand({.name = "blockdev-change-medium",
                        .arguments = {{"device", "str", true},
                                      {"id", "str", true},
                                      {"filename", "str"},
                                      {"format", "str", true},
                                      {"force", "bool", true},
                                      {"read-only-mode", "BlockdevChangeReadOnlyMode", true}},
                        .run = &change_medium}),
};

}  // namespace
}  // namespace rhea::qmp
