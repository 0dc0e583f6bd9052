// SPDX-License-Identifier: GPL-2.0-or-later
// One channel of a bus-mastering IDE controller.
#pragma once

#include "hw/ide/ide_dma.h"
#include "rhea/qom/state.h"
#include "rhea/softmmu/dma.h"

namespace rhea::hw {

class IdeBus;

/// Eight registers and a walk through physical region descriptors (Programming Interface for Bus
/// Master IDE Controller, revision 1.0). Registers: command 0, status 2, descriptor table 4..7.
class BusMaster final : public IdeDma {
 public:
  static void describe(StateFields<BusMaster>& s);

  void init(IdeBus& bus, const DmaMaster& dma) {
    bus_ = &bus;
    dma_ = &dma;
  }
  void reset();
  u8 read(unsigned reg) const;
  void write(unsigned reg, u8 value);

  Move to_memory(std::span<const u8> data) override;
  Move from_memory(std::span<u8> data) override;
  void interrupt() override;

 private:
  template <class Span, class Transfer>
  Move move(Span data, Transfer transfer);
  bool next_descriptor();
  void command(u8 value);

  IdeBus* bus_{};
  const DmaMaster* dma_{};
  u8 command_{0};
  u8 status_{0};
  u32 table_{0};
  // Where the walk is.
  u32 index_{0};  ///< of the next descriptor
  u32 address_{0};
  u32 left_{0};       ///< bytes of the present descriptor
  bool last_{false};  ///< the present one ends the table
};

}  // namespace rhea::hw
