// SPDX-License-Identifier: GPL-2.0-or-later
// An i440FX with PIIX3 and PIIX4 power management on a machine without a processor.
#pragma once

#include "hw/pci-host/i440fx.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/machine.h"

#include <array>
#include <vector>

namespace rhea::test {

/// The machine's lock is held for its life; virtual time is manual, from 0.
class Chipset {
 public:
  static constexpr u64 kRomSize = 256 * KiB;
  static constexpr unsigned kBridge = 0, kIsa = 1 << 3, kPm = 1 << 3 | 3;

  explicit Chipset(u64 ram_size = 16 * MiB, u64 max_ram_below_4g = 0, bool smm = true);
  ~Chipset();

  /// Through the configuration ports, as a guest does it.
  u32 config(unsigned devfn, unsigned reg, unsigned size = 4);
  void set_config(unsigned devfn, unsigned reg, u32 value, unsigned size = 4);
  u64 in(u16 port, unsigned size) { return machine.io().load(port, size); }
  void out(u16 port, u64 value, unsigned size) { machine.io().store(port, value, size); }
  u8 peek(u64 address) { return static_cast<u8>(machine.memory().load(address, 1)); }
  void poke(u64 address, u8 value) { machine.memory().store(address, value, 1); }
  void advance(i64 ns) {
    machine.virtual_clock().advance_to(machine.virtual_clock().now_ns() + ns);
  }
  void reset() { machine.reset_now(ShutdownCause::SubsystemReset, ResetKind::Warm); }
  std::vector<u8> save();
  Result<> load(const std::vector<u8>& stream);
  /// Lets requests (reset, shutdown, pause) be handled.
  void settle();

  Machine machine;
  /// 0xc0000..0xfffff of PCI memory, filled with 0xf0.
  Region rom;
  hw::I440fxHost* host{};
  Device* piix3{};
  Device* pm{};
  std::array<bool, 16> irq{};
  bool sci{};
  unsigned smi{};
  unsigned resets{};
  unsigned shutdowns{};

 private:
  void set_irq(unsigned line, bool level) { irq[line] = level; }
  void set_sci(unsigned, bool level) { sci = level; }
  void set_smi(unsigned, bool level) { smi += level ? 1 : 0; }
  Region ram_, pci_memory_;
};

}  // namespace rhea::test
