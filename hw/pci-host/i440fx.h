// SPDX-License-Identifier: GPL-2.0-or-later
// The i440FX host bridge as a board sees it.
#pragma once

#include "rhea/hw/pci.h"

#include <array>

namespace rhea::hw {

/// What the board hands in before the bridge is realized.
struct I440fxRegions {
  Region* ram{};            ///< all of it, in no container; RAM, or a container full of pieces
  Region* system_memory{};  ///< what the processors see
  Region* pci_memory{};     ///< container of 2^64 bytes: BARs, the firmware's ROM; in no container
  Region* system_io{};
  u64 max_ram_below_4g{0};        ///< 0: the PC's choice
  bool align_to_gigabytes{true};  ///< what is above 4 GiB begins with a whole one
};

/// How much RAM lies at 0 and how much at 4 GiB.
struct RamSplit {
  u64 below_4g{};
  u64 above_4g{};
};

/// The PC's choice: all of it below 4 GiB while that leaves half a GiB for PCI; else 3 GiB there,
/// so that what is above starts at a whole GiB.
constexpr RamSplit split_ram(u64 size, u64 max_below_4g = 0, bool align = true) {
  const u64 limit = max_below_4g != 0 ? max_below_4g : 0xe000'0000;
  u64 low = limit;
  if (align && size >= limit && low > 0xc000'0000) low = 0xc000'0000;
  if (size < low) low = size;
  return {.below_4g = low, .above_4g = size - low};
}

/// "i440FX-pcihost": configuration mechanism #1 at ports 0xcf8 and 0xcfc, the bus "pci.0" with the
/// bridge's own PCI function at 00.0, RAM and PCI memory in the system's address space. Output pins
/// "pirq" 0..3 carry the interrupt links; a PIIX3 on the bus takes them.
class I440fxHost final : public Device, public FirmwareNamed {
 public:
  static constexpr std::string_view kName = "i440FX-pcihost";
  static void describe(Schema<I440fxHost>& s);
  I440fxHost();

  void set_regions(const I440fxRegions& regions) { regions_ = regions; }
  const I440fxRegions& regions() const { return regions_; }
  RamSplit ram() const { return split_; }
  /// Firmware's root of all PCI paths.
  std::string firmware_name() const override { return "pci@i0cf8"; }
  /// Valid once realized.
  PciBus& bus() const { return *bus_; }
  /// Port 0xcf9 lies inside the address register, which takes whole dwords only; bytes there go to
  /// this region of one byte, which is in no container. nullptr: to nothing.
  void set_reset_port(const Region* port) { reset_port_ = port; }
  /// What processors see in system management mode over the rest of memory.
  Region& smram() { return smram_; }

  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  MemResult read_address(Access& access);
  MemResult write_address(Access& access);
  MemResult access_byte(Access& access, bool write);
  u64 read_data(u64 offset, unsigned size);
  void write_data(u64 offset, u64 value, unsigned size);
  /// The register that 0xcfc + `offset` stands for now; nullopt when configuration cycles are off.
  struct Target;
  std::optional<Target> target(u64 offset) const;
  Result<> check_regions() const;
  void map_memory();

  I440fxRegions regions_;
  RamSplit split_;
  PciBus* bus_{};
  u32 config_address_{};
  const Region* reset_port_{};
  std::array<IrqOutput, 4> pirq_;
  Region address_port_, data_port_;
  Region ram_below_, ram_above_, smram_;
};

}  // namespace rhea::hw
