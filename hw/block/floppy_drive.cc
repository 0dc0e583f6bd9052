// SPDX-License-Identifier: GPL-2.0-or-later
// One floppy drive, without its controller.
#include "hw/block/floppy_drive.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kMaxCylinder = 85;  // where the mechanics end

}  // namespace

void FloppyDrive::describe(Schema<FloppyDrive>& s) {
  s.help("virtual floppy drive");
  s.link("drive", &FloppyDrive::drive_).help("ID of a drive to use as a backend");
  s.property("unit", &FloppyDrive::unit_, i32{-1}).range(-1, 255).help("0 or 1, -1 for any");
  s.computed(
       "drive-type", std::string(EnumTraits<FloppyDriveType>::kType),
       [](const FloppyDrive& d) -> Value {
         return std::string(enum_name(d.is_realized() ? d.type_ : d.wanted_type_));
       },
       [](FloppyDrive& d, const Value& value) -> Result<> {
         const auto& names = EnumTraits<FloppyDriveType>::kNames;
         d.wanted_type_ =
             static_cast<FloppyDriveType>(TRY(parse_enum(value, names.data(), names.size())));
         return {};
       })
      .help("144, 288, 120, none, or auto: what the diskette needs; reads back what it became");
  s.state("cylinder", &FloppyDrive::cylinder_).range(0, kMaxCylinder);
  s.state("rotation", &FloppyDrive::rotation_);
  s.state("changed", &FloppyDrive::changed_);
}

Result<> FloppyDrive::realize() {
  if (drive_ != nullptr) {
    const ErrorPolicy& policy = drive_->error_policy();
    if (policy.write != OnError::Enospc && policy.write != OnError::Report)
      return fail("fdc doesn't support drive option werror");
    if (policy.read != OnError::Report) return fail("fdc doesn't support drive option rerror");
  }
  TRY(take_drive(drive_, *this, DriveUse::WriteIfPossible, this));
  look_at_medium();
  // What the drive is stays what it was when the machine was put together.
  type_ = named_type();
  if (type_ == FloppyDriveType::Auto) type_ = has_medium() ? geometry_.drive : fallback_;
  return {};
}

void FloppyDrive::medium_changed(bool) {
  changed_ = true;
  look_at_medium();
}

void FloppyDrive::look_at_medium() {
  geometry_ = has_medium() ? floppy_geometry(drive_->size(), named_type()) : FloppyGeometry{};
}

// Only power moves a drive's heads, and nobody's reset.
void FloppyDrive::reset(ResetKind kind) {
  if (kind == ResetKind::Cold) cylinder_ = 0;
  rotation_ = 0;
  changed_ = true;
}

void FloppyDrive::step(i32 tracks) {
  if (tracks == 0) return;
  cylinder_ = static_cast<u8>(std::clamp<i32>(cylinder_ + tracks, 0, kMaxCylinder));
  if (has_medium()) changed_ = false;
}

u8 FloppyDrive::next_sector() {
  const u8 sectors = std::max<u8>(geometry_.sectors, 1);
  rotation_ = static_cast<u8>(rotation_ % sectors + 1);
  return rotation_;
}

Result<> FloppyBus::assign_slot(Device& device) {
  auto& drive = static_cast<FloppyDrive&>(device);
  i32 unit = drive.wanted_unit();
  if (unit < 0) unit = units_[0] == nullptr ? 0 : 1;
  if (unit >= static_cast<i32>(kUnits))
    return fail("Can't create floppy unit {}, bus supports only {} units", unit, kUnits);
  auto& slot = units_[static_cast<unsigned>(unit)];
  if (slot != nullptr) return fail("Floppy unit {} is in use", unit);
  slot = &drive;
  drive.set_unit(static_cast<unsigned>(unit));
  drive.set_defaults(types_[static_cast<unsigned>(unit)], fallback_);
  return {};
}

void FloppyBus::release_slot(Device& device) {
  for (FloppyDrive*& slot : units_)
    if (slot == &device) slot = nullptr;
}

namespace {
const RegisterType<FloppyDrive> drive_registration;
const RegisterType<FloppyBus, Bus> bus_registration;
}  // namespace

}  // namespace rhea::hw
