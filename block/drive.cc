// SPDX-License-Identifier: GPL-2.0-or-later
// Drives: finding them a place, opening their image.
#include "block/drive.h"

#include "block/block_service.h"
#include "block/node_options.h"

#include <algorithm>

namespace rhea {
namespace block {
namespace {

const InterfaceName& traits(DriveInterface interface) {
  return *std::ranges::find(kInterfaces, interface, &InterfaceName::interface);
}

BlockBackend* drive_at(Machine& machine, DriveInterface interface, unsigned bus, unsigned unit) {
  for (BlockBackend* drive : drives(machine))
    if (drive->interface == interface && drive->bus == static_cast<int>(bus) &&
        drive->unit == static_cast<int>(unit))
      return drive;
  return nullptr;
}

struct Place {
  unsigned bus{}, unit{};
};

Result<Place> find_place(Machine& machine, const DriveOptions& options) {
  const unsigned units = traits(options.interface).units;
  Place place{.bus = options.bus.value_or(0), .unit = options.unit.value_or(0)};
  if (options.index) {
    if (options.bus || options.unit) return fail("index cannot be used with bus and unit");
    place = units == 0 ? Place{.unit = *options.index}
                       : Place{.bus = *options.index / units, .unit = *options.index % units};
  } else if (!options.unit) {
    while (drive_at(machine, options.interface, place.bus, place.unit) != nullptr)
      if (++place.unit == units && units != 0) place = {.bus = place.bus + 1, .unit = 0};
  }
  if (units != 0 && place.unit >= units)
    return fail("unit {} too big (max is {})", place.unit, units - 1);
  if (drive_at(machine, options.interface, place.bus, place.unit) != nullptr)
    return fail("drive with bus={}, unit={} (index={}) exists", place.bus, place.unit,
                place.bus * units + place.unit);
  return place;
}

std::string default_id(const DriveOptions& options, Place place) {
  const InterfaceName& interface = traits(options.interface);
  const bool named =
      options.interface == DriveInterface::Ide || options.interface == DriveInterface::Scsi;
  const std::string_view media = !named ? "" : options.cdrom ? "-cd" : "-hd";
  return interface.units == 0
             ? fmt::format("{}{}{}", interface.name, media, place.unit)
             : fmt::format("{}{}{}{}", interface.name, place.bus, media, place.unit);
}

}  // namespace

Result<BlockBackend*> add_drive(Machine& machine, DriveOptions options) {
  const Place place = TRY(find_place(machine, options));
  if (options.id.empty()) options.id = default_id(options, place);
  if (const BlockBackend* other = find_drive(machine, options.id))
    return other->is_node()
               ? fail("Device name '{}' conflicts with an existing node name", options.id)
               : fail("Duplicate ID '{}' for drive", options.id);
  if (machine.service<BlockService>().snapshot_all()) options.image.snapshot = true;
  if (!options.image.node_name.empty()) TRY(check_node_name(machine, options.image.node_name));
  std::unique_ptr<BlockNode> image;
  if (!options.image.filename.empty()) image = TRY(open_image(options.image));

  auto drive = create<BlockBackend>();
  drive->set_cdrom(options.cdrom);
  drive->interface = options.interface;
  drive->bus = static_cast<int>(place.bus);
  drive->unit = static_cast<int>(place.unit);
  drive->serial = options.serial;
  drive->set_error_policy(options.on_errors);
  BlockBackend& added =
      machine.container(BlockBackend::kLinkRoot).add_child(options.id, std::move(drive));
  if (image) added.insert(std::move(image));
  return &added;
}

}  // namespace block

Result<BlockBackend*> create_drive(Machine& machine, std::string_view option_text) {
  auto options = TRY(block::parse_drive(option_text));
  return block::add_drive(machine, std::move(options));
}

std::vector<BlockBackend*> drives(Machine& machine) {
  std::vector<BlockBackend*> found;
  for (const auto& child : machine.container(BlockBackend::kLinkRoot).children())
    if (auto* drive = dynamic_cast<BlockBackend*>(child.get());
        drive != nullptr && !drive->is_node())
      found.push_back(drive);
  return found;
}

BlockBackend* find_drive(Machine& machine, std::string_view id) {
  return dynamic_cast<BlockBackend*>(machine.container(BlockBackend::kLinkRoot).child(id));
}

}  // namespace rhea
