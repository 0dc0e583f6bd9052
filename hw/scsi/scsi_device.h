// SPDX-License-Identifier: GPL-2.0-or-later
// Logical units: where they are, and what they have to tell before they do anything.
#pragma once

#include "hw/scsi/scsi_bus.h"
#include "rhea/hw/boot_order.h"

#include <string>
#include <vector>

namespace rhea::hw {

/// Base of what plugs into a SCSI bus. All of it runs under the machine's lock.
/// State: what it has to tell.
class ScsiDevice : public Device, public FirmwareNamed {
 public:
  static constexpr std::string_view kName = "scsi-device";
  static constexpr std::string_view kBus = "SCSI";
  static constexpr u32 kAnywhere = ~u32{0};
  using Extendable = ScsiDevice;
  static void describe(Schema<ScsiDevice>& s);

  /// As its properties have it; kAnywhere where they leave it open.
  ScsiAddress wanted() const { return {channel_, target_, unit_}; }
  const ScsiAddress& address() const { return address_; }
  void set_address(const ScsiAddress& address);
  std::string firmware_name() const override;

  /// Begins a task.
  void submit(const SharedScsiTask& task);
  /// Nobody hears of it any more.
  virtual void drop(const ScsiTask& task) = 0;
  virtual void resumed() {}
  /// Something for the initiator to hear, by the next task that can tell it (SAM-5, 5.14).
  void attention(const ScsiSense& sense);
  void forget_attention(const ScsiSense& sense);

  void reset(ResetKind kind) override;

 protected:
  Result<> realize() override;
  virtual void execute(const SharedScsiTask& task) = 0;
  /// What is to be told first, if anything; then it is told.
  ScsiSense take_attention();
  ScsiBus& scsi_bus() const { return static_cast<ScsiBus&>(*parent_bus()); }
  ScsiHost& host() const { return scsi_bus().host(); }

 private:
  static constexpr std::size_t kMostAttentions = 8;

  u32 channel_{}, target_{}, unit_{};
  ScsiAddress address_;
  std::vector<ScsiSense> attentions_;
};

}  // namespace rhea::hw
