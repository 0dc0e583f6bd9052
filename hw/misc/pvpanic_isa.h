// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's device "pvpanic", as the board that tells of it by ACPI sees it.
#pragma once

#include "rhea/hw/isa.h"
#include "rhea/softmmu/registers.h"

#include <optional>

namespace rhea::hw {

/// A port by which a guest's kernel tells that it panicked, or that another kernel was loaded to
/// look at what is left (spec: QEMU's docs/specs/pvpanic). What follows -action panic= says. State:
/// none. Missing: nothing.
class PvpanicIsa final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "pvpanic";
  static void describe(Schema<PvpanicIsa>& s);

  /// The port of the first there is; nullopt: there is none.
  static std::optional<u16> port_of(Machine& machine);

 protected:
  Result<> realize() override;

 private:
  u8 supported() const { return events_; }
  void told(u8 events);

  u16 port_{};
  u8 events_{};
  RegisterBank bank_;
};

}  // namespace rhea::hw
