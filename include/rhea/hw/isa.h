// SPDX-License-Identifier: GPL-2.0-or-later
// ISA devices.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

namespace rhea {

/// Anything with ISA DMA requests to make implements this for the 8237 (hw/dma).
class IsaDmaClient {
 public:
  virtual ~IsaDmaClient() = default;
  /// Moves up to `size` bytes (all that is left of it) starting at `position` of the channel's
  /// transfer and returns the new position.
  virtual u32 dma_transfer(unsigned channel, u32 position, u32 size) = 0;
};

/// The 8237 pair as devices see it.
class IsaDma {
 public:
  virtual ~IsaDma() = default;
  virtual void register_client(unsigned channel, IsaDmaClient& client) = 0;
  virtual void hold_dreq(unsigned channel) = 0;
  virtual void release_dreq(unsigned channel) = 0;
  /// Gives every channel with a request a turn, on the main loop, soon. hold_dreq does it, too.
  virtual void schedule() = 0;
  /// Device to memory and memory to device; `position` counts from the start of the transfer.
  /// Returns bytes moved.
  virtual u32 write_memory(unsigned channel, u32 position, std::span<const u8> data) = 0;
  virtual u32 read_memory(unsigned channel, u32 position, std::span<u8> data) = 0;
  virtual bool auto_init(unsigned channel) const = 0;
};

/// The bus: port space, memory below 16 MiB, sixteen interrupt lines, DMA.
class IsaBus final : public Bus {
 public:
  static constexpr std::string_view kName = "ISA";
  std::string_view kind() const override { return "ISA"; }

  void init(Region& memory, Region& io) {
    memory_ = &memory;
    io_ = &io;
  }
  Region& memory() const { return *memory_; }
  Region& io() const { return *io_; }
  /// How a source of line `n` (0..15) reaches the interrupt controllers; set by the board.
  void set_irqs(std::function<Irq(unsigned)> irqs) { irqs_ = std::move(irqs); }
  /// The end of a new source of line `n`: lines are shared, and each source has its own end.
  Irq irq(unsigned n) const { return irqs_ ? irqs_(n) : Irq(); }
  void set_dma(IsaDma* dma) { dma_ = dma; }
  IsaDma* dma() const { return dma_; }

 private:
  Region* memory_{};
  Region* io_{};
  std::function<Irq(unsigned)> irqs_;
  IsaDma* dma_{};
};

/// Base class. What add_port, add_memory and connect_isa_irq did ends when the device is
/// unrealized, or its realize() fails.
class IsaDevice : public Device {
 public:
  static constexpr std::string_view kName = "isa-device";
  static constexpr std::string_view kBus = "ISA";
  using Extendable = IsaDevice;

 protected:
  IsaBus& isa() const { return static_cast<IsaBus&>(*parent_bus()); }
  /// Maps an initialised region at `port`; overlapping another device is allowed, the later one
  /// wins.
  void add_port(u16 port, Region& region);
  void add_memory(u64 address, Region& region, int priority = 1);
  /// Wires an output to line `n`, checked (0..15).
  Result<> connect_isa_irq(IrqOutput& output, unsigned n);
  Result<> map_registers() override;
  void release() override;

 private:
  std::vector<Region*> mapped_;
  std::vector<IrqOutput*> connected_;
};

}  // namespace rhea
