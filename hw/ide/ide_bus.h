// SPDX-License-Identifier: GPL-2.0-or-later
// An IDE channel: two devices, one cable.
#pragma once

#include "hw/ide/ide_dma.h"
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

#include <array>

namespace rhea::hw {

class IdeDevice;

/// The command and control block registers as the host reaches them (ATA/ATAPI-6, 5.2 and 9.16).
/// Writes go to both devices, reads come from the selected one; an absent device reads as zeroes.
/// State: complete. Missing: the drive address register (3F7 belongs to the floppy controller).
class IdeBus final : public Bus {
 public:
  static constexpr std::string_view kName = "IDE";
  static void describe(Schema<IdeBus>& s);
  static constexpr unsigned kUnits = 2;

  std::string_view kind() const override { return "IDE"; }
  bool is_full() const override { return units_[0] != nullptr && units_[1] != nullptr; }

  /// Channel `number` of its controller; INTRQ goes to `irq`; `dma` is the channel's bus master.
  void init(unsigned number, IrqOutput& irq, IdeDma* dma) {
    number_ = number;
    irq_ = &irq;
    dma_ = dma;
  }
  IdeDevice* device(unsigned unit) const { return units_[unit & 1]; }
  IdeDma* dma() const { return dma_; }
  unsigned number() const { return number_; }

  // The ports: eight of the command block, one of the control block.
  u64 read_command(u64 offset, unsigned size);
  void write_command(u64 offset, u64 value, unsigned size);
  u64 read_control(u64, unsigned) { return alternate_status(); }
  void write_control_port(u64, u64 value, unsigned) { write_control(static_cast<u8>(value)); }

  // The registers; n is 1 to 7.
  u8 read_register(unsigned n);
  void write_register(unsigned n, u8 value);
  u32 read_data(unsigned size);
  void write_data(u32 value, unsigned size);
  u8 alternate_status() const;
  void write_control(u8 value);

  /// A device's interrupt came or went.
  void update_irq();
  /// The bus master was started: a device that waits for it may go on.
  void dma_started();
  void reset_registers();

  Result<> post_load(unsigned version) override;

 protected:
  Result<> assign_slot(Device& device) override;
  void release_slot(Device& device) override;

 private:
  IdeDevice* selected() const { return units_[select_]; }
  void execute(u8 command);

  std::array<IdeDevice*, kUnits> units_{};
  unsigned number_{0};
  IrqOutput* irq_{};
  IdeDma* dma_{};
  u8 select_{0};
  u8 control_{0};
};

}  // namespace rhea::hw
