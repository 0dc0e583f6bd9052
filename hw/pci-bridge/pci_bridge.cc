// SPDX-License-Identifier: GPL-2.0-or-later
// Configuration space, windows and life of PCI bridges.
#include "hw/pci-bridge/pci_bridge.h"

namespace rhea::hw {
namespace {

/// Type 1 header (3.2 there).
enum Reg : u8 {
  kPrimaryBus = 0x18,
  kSecondaryBus = 0x19,
  kSubordinateBus = 0x1a,
  kSecondaryLatency = 0x1b,
  kIoBase = 0x1c,
  kIoLimit = 0x1d,
  kSecondaryStatus = 0x1e,
  kMemoryBase = 0x20,
  kMemoryLimit = 0x22,
  kPrefetchBase = 0x24,
  kPrefetchLimit = 0x26,
  kPrefetchBaseUpper = 0x28,
  kPrefetchLimitUpper = 0x2c,
  kIoBaseUpper = 0x30,
  kCapabilityList = 0x34,
  kBridgeRom = 0x38,
  kBridgeControl = 0x3e,
};
constexpr u8 kBridgeHeader = 1;
constexpr u8 kIo32 = 1;
constexpr u16 kPrefetch64 = 1;
constexpr u16 kStatusErrors = 0xf900;
// Parity, SERR#, ISA, VGA, VGA 16-bit decode, master abort, reset, timers.
constexpr u16 kControlWritable = 0x0b7f, kControlTimerStatus = 0x0400;
constexpr u16 kIsaEnable = 0x04, kVgaEnable = 0x08, kVga16 = 0x10, kResetSecondary = 0x40;
constexpr u8 kSlotId = 0x04;
constexpr int kWindowPriority = 1;

// VGA's frame buffer and registers, which a bridge forwards by one bit (3.2.5.18); with ten bits of
// address decoded, registers come again every 1 KiB.
constexpr u64 kVgaMemory = 0xa0000, kVgaMemorySize = 0x20000;
constexpr u64 kIoPage = 0x400, kIoPages = 64;
struct Ports {
  u64 base, size;
};
constexpr std::array kVgaPorts{Ports{.base = 0x3b0, .size = 0xc},
                               Ports{.base = 0x3c0, .size = 0x20}};

}  // namespace

void PciBridge::describe(Schema<PciBridge>& s) {
  s.help("PCI bridge");
  s.property("chassis_nr", &PciBridge::chassis_, u8{0}).help("number of the slots' chassis");
  s.property("msi", &PciBridge::msi_, OnOffAuto::Auto).help("offer MSI");
  s.property("shpc", &PciBridge::shpc_, false).help("standard hot plug controller: not there");
}

PciBridge::PciBridge() {
  for (const u8 reg : {kPrimaryBus, kSecondaryBus, kSubordinateBus}) config_set8(reg, 0, 0xff);
  config_set8(kSecondaryLatency, 0, 0xf8);
  config_set8(kIoBase, 0, 0xf0);
  config_set8(kIoLimit, 0, 0xf0);
  config_set_w1c(kSecondaryStatus, kStatusErrors);
  for (const u8 reg : {kMemoryBase, kMemoryLimit}) config_set16(reg, 0, 0xfff0);
  for (const u8 reg : {kPrefetchBase, kPrefetchLimit}) config_set16(reg, kPrefetch64, 0xfff0);
  for (const u8 reg : {kPrefetchBaseUpper, kPrefetchLimitUpper}) config_set32(reg, 0, ~u32{0});
  config_set16(kBridgeControl, 0, kControlWritable);
  config_set_w1c(kBridgeControl, kControlTimerStatus);
}

Result<> PciBridge::realize() {
  if (shpc_) return fail("shpc=on: there is no standard hot plug controller in this bridge");
  if (chassis_ == 0) return fail("chassis_nr: every bridge needs a number of its own, from 1 on");
  TRY(PciDevice::realize());
  config_set8(pci::kHeaderType, config8(pci::kHeaderType) | kBridgeHeader);
  if (msi_ != OnOffAuto::Off) add_msi();
  const u8 at = add_capability(kSlotId, 4);
  config_set8(at + 3U, chassis_);
  memory_.init_container(this, "pci-bridge-memory", Region::kWholeSpace);
  io_.init_container(this, "pci-bridge-io", 0x10000);
  init_upstream();
  bus_ = &add_child(id().empty() ? fmt::format("pci.{:02x}.{}", slot(), function()) : id(),
                    create<PciBus>());
  bus_->init(
      memory_, io_, downstream_view(), [](unsigned slot, unsigned pin) { return (slot + pin) & 3; },
      [this](unsigned pin, bool level) { pci_bus().forward_intx(*this, pin, level); });
  on_unrealize([this] { close(); });
  return {};
}

void PciBridge::reset(ResetKind) { update(); }
Result<> PciBridge::post_load(unsigned) {
  update();
  return {};
}

void PciBridge::config_write(unsigned reg, u32 value, unsigned size) {
  const u16 before = config16(kBridgeControl);
  PciDevice::config_write(reg, value, size);
  update();
  if ((config16(kBridgeControl) & ~before & kResetSecondary) != 0) bus_->reset(ResetKind::Warm);
}

u8 PciBridge::secondary_number() const { return config8(kSecondaryBus); }
u8 PciBridge::subordinate_number() const { return config8(kSubordinateBus); }
std::array<PciDevice::Range, 3> PciBridge::forwarded() const {
  const auto range = [](const BridgeWindow& w) { return Range{.base = w.base, .limit = w.limit}; };
  return {range(io_window()), range(memory_window()), range(prefetch_window())};
}

// What devices behind the bridge reach: everything in front of it, while it may be a master.
void PciBridge::init_upstream() {
  upstream_root_.init_container(this, "pci-bridge-upstream", Region::kWholeSpace);
  upstream_window_.init_alias(this, "pci-bridge-upstream-window", pci_bus().dma_space().root(), 0,
                              Region::kWholeSpace);
  upstream_window_.set_enabled(false);
  upstream_root_.add(0, upstream_window_);
  upstream_.emplace(machine().map(), "pci-bridge-dma", upstream_root_);
}

BridgeWindow PciBridge::memory_window() const {
  return window(u64{config16(kMemoryBase) & 0xfff0U} << 16,
                u64{config16(kMemoryLimit) & 0xfff0U} << 16 | 0xfffff, pci::kCommandMemory);
}
BridgeWindow PciBridge::prefetch_window() const {
  return window(
      u64{config32(kPrefetchBaseUpper)} << 32 | u64{config16(kPrefetchBase) & 0xfff0U} << 16,
      u64{config32(kPrefetchLimitUpper)} << 32 | u64{config16(kPrefetchLimit) & 0xfff0U} << 16 |
          0xfffff,
      pci::kCommandMemory);
}
BridgeWindow PciBridge::io_window() const {
  return window(u64{config8(kIoBase) & 0xf0U} << 8, u64{config8(kIoLimit) & 0xf0U} << 8 | 0xfff,
                pci::kCommandIo);
}
BridgeWindow PciBridge::window(u64 base, u64 limit, u16 enable) const {
  return {.base = base,
          .limit = limit,
          .open = base <= limit && (config16(pci::kCommand) & enable) != 0};
}

PciBridge::Open PciBridge::wanted() const {
  const u16 command = config16(pci::kCommand), control = config16(kBridgeControl);
  const bool vga = (control & kVgaEnable) != 0;
  return {.memory = memory_window(),
          .prefetch = prefetch_window(),
          .io = io_window(),
          .vga_memory = vga && (command & pci::kCommandMemory) != 0,
          .vga_ports = vga && (command & pci::kCommandIo) != 0,
          .vga_16 = (control & kVga16) != 0,
          .isa = (control & kIsaEnable) != 0};
}

void PciBridge::update() {
  if (bus_ == nullptr) return;
  bus_->set_number(config8(kSecondaryBus));
  const Transaction transaction(machine().map());
  upstream_window_.set_enabled((config16(pci::kCommand) & pci::kCommandMaster) != 0);
  const Open now = wanted();
  if (now == open_) return;
  open_ = now;
  show(memory_window_, now.memory);
  show(prefetch_window_, now.prefetch);
  show(vga_memory_,
       {.base = kVgaMemory, .limit = kVgaMemory + kVgaMemorySize - 1, .open = now.vga_memory});
  io_windows_.clear();
  if (now.io.open) show_io(now.io, now.isa);
  if (now.vga_ports) show_vga_ports(now.vga_16);
}

void PciBridge::close() {
  const Transaction transaction(machine().map());
  close_view();
  for (std::optional<Region>* window : {&memory_window_, &prefetch_window_, &vga_memory_})
    window->reset();
  io_windows_.clear();
  upstream_.reset();
  bus_ = nullptr;
  open_ = {};
}

void PciBridge::show(std::optional<Region>& region, const BridgeWindow& window) {
  region.reset();
  if (!window.open) return;
  region.emplace();
  region->init_alias(this, "pci-bridge-window", memory_, window.base,
                     static_cast<u128>(window.limit - window.base) + 1);
  pci_bus().memory().add(window.base, *region, kWindowPriority);
}

void PciBridge::show_ports(u64 base, u64 size) {
  Region& region = *io_windows_.emplace_back(std::make_unique<Region>());
  region.init_alias(this, "pci-bridge-ports", io_, base, size);
  pci_bus().io().add(base, region, kWindowPriority);
}

// In ISA mode only the first 256 ports of each 1 KiB (3.2.5.18).
void PciBridge::show_io(const BridgeWindow& window, bool isa) {
  if (!isa) return show_ports(window.base, window.limit - window.base + 1);
  for (u64 base = window.base; base <= window.limit; base += kIoPage) show_ports(base, 0x100);
}

void PciBridge::show_vga_ports(bool all_bits) {
  for (u64 page = 0; page < (all_bits ? 1 : kIoPages); ++page)
    for (const Ports& ports : kVgaPorts) show_ports(page * kIoPage + ports.base, ports.size);
}

namespace {
const RegisterType<PciBridge, PciDevice> registration;
}  // namespace

}  // namespace rhea::hw
