// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's device "vmgenid", as the board and those who look at the machine see it.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/dma.h"
#include "softmmu/uuid_option.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {
class FwCfg;
}  // namespace rhea

namespace rhea::hw {

/// A number that tells a guest that it goes on from an older state (Microsoft's "Virtual Machine
/// Generation ID"; QEMU's docs/specs/vmgenid): in a file that firmware puts into memory, with the
/// address in another, which firmware writes. A machine that goes on after a snapshot was loaded
/// finds its own number there, and has an ACPI event; with guid=auto each load makes a new one.
/// State: where the number lies. Missing: nothing.
class VmGeneration final : public Device {
 public:
  static constexpr std::string_view kName = "vmgenid";
  using Extendable = Device;
  static constexpr std::string_view kNumberFile = "etc/vmgenid_guid",
                                    kAddressFile = "etc/vmgenid_addr";
  /// What stands before the number in its file: as much as the header of an ACPI table, for which
  /// firmware would take it.
  static constexpr unsigned kNumberAt = 40;
  static void describe(Schema<VmGeneration>& s);
  VmGeneration();

  /// The one that the machine has; nullptr: none.
  static VmGeneration* of(Machine& machine);
  /// As users write it.
  std::string text() const;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

 private:
  struct Slot;
  Result<> set_number(std::string_view text);
  void guest_writes(std::span<const u8> data);
  void show();
  void tell_guest();
  std::vector<u8> number_for_guest() const;

  MachineUuid::Bytes number_{};
  bool automatic_{true};
  u64 address_{0};
  bool changed_{false};  ///< the guest has not heard of it
  FwCfg* fw_cfg_{};
  Slot* slot_{};
  DmaMaster dma_;
};

}  // namespace rhea::hw
