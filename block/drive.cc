// SPDX-License-Identifier: GPL-2.0-or-later
// Drives from command line text: parsing, finding them a place, opening their image.
#include "block/drive.h"

#include "block/block_service.h"
#include "rhea/util/keyval.h"

#include <algorithm>
#include <charconv>

namespace rhea {
namespace block {
namespace {

struct InterfaceName {
  std::string_view name;
  DriveInterface interface;
  unsigned units;  ///< on one bus; 0: one bus without a limit
};

constexpr std::array kInterfaces = {
    InterfaceName{"none", DriveInterface::None, 0},
    InterfaceName{"ide", DriveInterface::Ide, 2},
    InterfaceName{"floppy", DriveInterface::Floppy, 0},
    InterfaceName{"virtio", DriveInterface::Virtio, 0},
    InterfaceName{"scsi", DriveInterface::Scsi, 7},
    InterfaceName{"pflash", DriveInterface::Pflash, 0},
};

const InterfaceName& traits(DriveInterface interface) {
  return *std::ranges::find(kInterfaces, interface, &InterfaceName::interface);
}

Result<DriveInterface> parse_interface(const std::string& text) {
  const auto found = std::ranges::find(kInterfaces, text, &InterfaceName::name);
  if (found == kInterfaces.end()) return fail("unsupported bus type '{}'", text);
  return found->interface;
}

Result<std::optional<unsigned>> take_number(KeyValues& values, std::string_view key) {
  const auto text = values.take(key);
  if (!text) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (text->empty() || error != std::errc{} || end != text->data() + text->size() || number > 255)
    return fail("parameter '{}' expects a small number, not '{}'", key, *text);
  return number;
}

Result<bool> take_media(KeyValues& values) {
  const std::string media = values.take("media").value_or("disk");
  if (media != "disk" && media != "cdrom") return fail("'{}' invalid media", media);
  return media == "cdrom";
}

// Options that have one value here: naming it is fine, another one is refused.
Result<> take_fixed(KeyValues& values) {
  struct Fixed {
    std::string_view key;
    std::array<std::string_view, 3> accepted;
  };
  static constexpr std::array kFixed = {
      Fixed{"aio", {"threads", "threads", "threads"}},
      Fixed{"discard", {"ignore", "off", "ignore"}},
      Fixed{"detect-zeroes", {"off", "off", "off"}},
      Fixed{"copy-on-read", {"off", "no", "false"}},
      Fixed{"rerror", {"report", "report", "report"}},
      Fixed{"werror", {"report", "report", "report"}},
  };
  for (const Fixed& fixed : kFixed) {
    const auto value = values.take(fixed.key);
    if (value && std::ranges::find(fixed.accepted, *value) == fixed.accepted.end())
      return fail("parameter '{}': '{}' is not supported (only '{}')", fixed.key, *value,
                  fixed.accepted[0]);
  }
  return {};
}

Result<ImageOptions> take_image(KeyValues& values, bool cdrom) {
  ImageOptions image;
  image.filename = values.take("file").value_or("");
  image.format = values.take("format").value_or("");
  image.read_only = TRY(values.take_bool("readonly", false)) || cdrom;
  image.snapshot = TRY(values.take_bool("snapshot", false));
  if (const auto cache = values.take("cache")) {
    const auto& names = EnumTraits<CacheMode>::kNames;
    const auto mode = parse_enum(Value(*cache), names.data(), names.size());
    if (!mode) return fail("invalid cache option: {}", mode.error().message());
    image.cache = static_cast<CacheMode>(*mode);
  }
  return image;
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

Result<DriveOptions> parse_drive(std::string_view text) {
  KeyValues values = TRY(KeyValues::parse(text));
  DriveOptions options;
  if (const auto interface = values.take("if"))
    options.interface = TRY(parse_interface(*interface));
  options.cdrom = TRY(take_media(values));
  options.bus = TRY(take_number(values, "bus"));
  options.unit = TRY(take_number(values, "unit"));
  options.index = TRY(take_number(values, "index"));
  options.image = TRY(take_image(values, options.cdrom));
  options.id = values.take("id").value_or("");
  options.serial = values.take("serial").value_or("");
  TRY(take_fixed(values));
  TRY(values.expect_empty("-drive"));
  return options;
}

Result<BlockBackend*> add_drive(Machine& machine, DriveOptions options) {
  const Place place = TRY(find_place(machine, options));
  if (options.id.empty()) options.id = default_id(options, place);
  if (find_drive(machine, options.id) != nullptr)
    return fail("Duplicate ID '{}' for drive", options.id);
  if (options.id.find('/') != std::string::npos)
    return fail("Parameter 'id' expects an identifier, not '{}'", options.id);
  if (machine.service<BlockService>().snapshot_all()) options.image.snapshot = true;

  auto drive = create<BlockBackend>();
  drive->set_cdrom(options.cdrom);
  drive->interface = options.interface;
  drive->bus = static_cast<int>(place.bus);
  drive->unit = static_cast<int>(place.unit);
  drive->serial = options.serial;
  if (!options.image.filename.empty()) drive->insert(TRY(open_image(options.image)));
  return &machine.container(BlockBackend::kLinkRoot).add_child(options.id, std::move(drive));
}

}  // namespace block

Result<BlockBackend*> create_drive(Machine& machine, std::string_view option_text) {
  return block::add_drive(machine, TRY(block::parse_drive(option_text)));
}

std::vector<BlockBackend*> drives(Machine& machine) {
  std::vector<BlockBackend*> found;
  for (const auto& child : machine.container(BlockBackend::kLinkRoot).children())
    if (auto* drive = dynamic_cast<BlockBackend*>(child.get())) found.push_back(drive);
  return found;
}

BlockBackend* find_drive(Machine& machine, std::string_view id) {
  return dynamic_cast<BlockBackend*>(machine.container(BlockBackend::kLinkRoot).child(id));
}

BlockBackend& add_anonymous_drive(Machine& machine) {
  std::string name;
  for (unsigned n = 0; name.empty() || find_drive(machine, name) != nullptr; ++n)
    name = fmt::format("#drive{}", n);
  return machine.container(BlockBackend::kLinkRoot)
      .add_child(std::move(name), create<BlockBackend>());
}

void remove_drive(BlockBackend& drive) { drive.parent()->remove_child(drive); }

}  // namespace rhea
