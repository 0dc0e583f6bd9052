// SPDX-License-Identifier: GPL-2.0-or-later
// "pci-bridge": a bridge from one PCI bus to another (PCI-to-PCI Bridge Architecture
// Specification 1.2), and the base of bridges that do more.
#pragma once

#include "rhea/hw/pci.h"
#include "rhea/softmmu/address_space.h"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace rhea::hw {

/// A range of addresses that a bridge forwards; nothing when the limit is below the base.
struct BridgeWindow {
  u64 base{}, limit{};
  bool open{};
  friend bool operator==(const BridgeWindow&, const BridgeWindow&) = default;
};

/// QEMU's (and Red Hat's) bridge 1b36:0001, no datasheet: the header of the specification, with
/// 16-bit I/O, 64-bit prefetchable memory, MSI, a slot number.
/// State: bus numbers, windows (I/O also with ISA mode's gaps), VGA forwarding, secondary reset,
/// interrupt pins turned by slot. Missing: the standard hot plug controller (shpc=on is refused),
/// discard timers, error forwarding.
class PciBridge : public PciDevice {
 public:
  static constexpr std::string_view kName = "pci-bridge";
  static constexpr PciIdentity kPci{.vendor = 0x1b36, .device = 0x0001, .klass = 0x060400};
  using Extendable = PciBridge;
  static void describe(Schema<PciBridge>& s);
  PciBridge();

  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;
  void config_write(unsigned reg, u32 value, unsigned size) override;

  PciBus* secondary_bus() const override { return bus_; }
  u8 secondary_number() const override;
  u8 subordinate_number() const override;
  std::array<Range, 3> forwarded() const override;

 protected:
  /// What the bridge's masters reach: everything in front of it, while it may be a master itself.
  AddressSpace& upstream() { return *upstream_; }
  /// What devices behind the bridge reach; asked once, in realize().
  virtual AddressSpace& downstream_view() { return upstream(); }
  /// When it is unrealized, before its parts go.
  virtual void close_view() {}

 private:
  struct Open {
    BridgeWindow memory, prefetch, io;
    bool vga_memory{}, vga_ports{}, vga_16{}, isa{};
    friend bool operator==(const Open&, const Open&) = default;
  };

  void init_upstream();
  BridgeWindow memory_window() const;
  BridgeWindow prefetch_window() const;
  BridgeWindow io_window() const;
  BridgeWindow window(u64 base, u64 limit, u16 enable) const;
  Open wanted() const;
  void update();
  void close();
  void show(std::optional<Region>& region, const BridgeWindow& window);
  void show_ports(u64 base, u64 size);
  void show_io(const BridgeWindow& window, bool isa);
  void show_vga_ports(bool all_bits);

  u8 chassis_{};
  OnOffAuto msi_{};
  bool shpc_{};
  PciBus* bus_{};
  Open open_;
  Region memory_, io_, upstream_root_, upstream_window_;
  std::optional<AddressSpace> upstream_;
  std::optional<Region> memory_window_, prefetch_window_, vga_memory_;
  std::vector<std::unique_ptr<Region>> io_windows_;
};

}  // namespace rhea::hw
