// SPDX-License-Identifier: GPL-2.0-or-later
// Floppy drives and the cable they hang on.
#pragma once

#include "hw/block/floppy_geometry.h"
#include "rhea/block/block_backend.h"
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

namespace rhea::hw {

/// The mechanics of one drive: where its heads are, what lies in it, the disk change line.
/// State: complete. Missing: spindle and head timing (a seek takes no time).
class FloppyDrive final : public Device, public MediaDevice {
 public:
  static constexpr std::string_view kName = "floppy";
  static constexpr std::string_view kBus = "floppy-bus";
  using Extendable = Device;
  static void describe(Schema<FloppyDrive>& s);

  i32 wanted_unit() const { return unit_; }
  void set_unit(unsigned unit) { unit_ = static_cast<i32>(unit); }
  /// What its controller says of a drive that says nothing itself: its kind, and if that is to be
  /// taken from the diskette, the kind to be when there is none.
  void set_defaults(FloppyDriveType type, FloppyDriveType fallback) {
    default_type_ = type;
    fallback_ = fallback;
  }
  FloppyDriveType drive_type() const { return type_; }

  BlockBackend* backend() const { return drive_; }
  bool has_medium() const { return drive_ != nullptr && drive_->inserted(); }
  bool write_protected() const { return has_medium() && drive_->read_only(); }
  const FloppyGeometry& geometry() const { return geometry_; }
  u8 cylinder() const { return cylinder_; }
  bool changed() const { return changed_; }
  /// Step pulses: negative ones outwards. The outermost track stops the heads, and the innermost
  /// one.
  void step(i32 tracks);
  bool writes() const override { return true; }
  void medium_changed(bool loaded) override;
  /// The sector that passes the head next, for READ ID.
  u8 next_sector();

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  void look_at_medium();
  /// Auto when nobody names a kind.
  FloppyDriveType named_type() const {
    return wanted_type_ != FloppyDriveType::Auto ? wanted_type_ : default_type_;
  }

  BlockBackend* drive_{};
  i32 unit_{-1};
  FloppyDriveType wanted_type_{FloppyDriveType::Auto};
  FloppyDriveType default_type_{FloppyDriveType::Auto};
  FloppyDriveType fallback_{FloppyDriveType::Fd288};
  FloppyDriveType type_{FloppyDriveType::None};
  FloppyGeometry geometry_;
  u8 cylinder_{0};
  u8 rotation_{0};
  bool changed_{true};
};

/// Two drives.
class FloppyBus final : public Bus {
 public:
  static constexpr std::string_view kName = "floppy-bus";
  static constexpr unsigned kUnits = 2;
  std::string_view kind() const override { return "floppy-bus"; }
  bool is_full() const override { return units_[0] != nullptr && units_[1] != nullptr; }
  FloppyDrive* drive(unsigned unit) const { return unit < kUnits ? units_[unit] : nullptr; }
  void set_types(std::array<FloppyDriveType, kUnits> types, FloppyDriveType fallback) {
    types_ = types;
    fallback_ = fallback;
  }

 protected:
  Result<> assign_slot(Device& device) override;
  void release_slot(Device& device) override;

 private:
  std::array<FloppyDrive*, kUnits> units_{};
  std::array<FloppyDriveType, kUnits> types_{FloppyDriveType::Auto, FloppyDriveType::Auto};
  FloppyDriveType fallback_{FloppyDriveType::Fd288};
};

}  // namespace rhea::hw
