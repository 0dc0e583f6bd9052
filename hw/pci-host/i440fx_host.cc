// SPDX-License-Identifier: GPL-2.0-or-later
// The i440FX host bridge's side towards the processors: configuration ports and the memory map.
#include "hw/pci-host/i440fx.h"
#include "rhea/softmmu/smm.h"

namespace rhea::hw {
namespace {

constexpr u16 kAddressPort = 0xcf8, kResetPort = 0xcf9, kDataPort = 0xcfc;
constexpr u32 kEnable = 0x8000'0000;
constexpr u32 kAddressBits = 0x80ff'fffc;
constexpr int kPciPriority = -1;

}  // namespace

struct I440fxHost::Target {
  PciBus* bus;
  unsigned devfn;
  unsigned reg;
};

I440fxHost::I440fxHost() {
  for (IrqOutput& pin : pirq_) init_gpio_out("pirq", pin);
}

void I440fxHost::describe(Schema<I440fxHost>& s) {
  s.help("Intel 82441FX host bridge: configuration ports, memory map, PCI bus");
  s.board_only();
  s.state("config-address", &I440fxHost::config_address_);
}

Result<> I440fxHost::check_regions() const {
  const auto& [ram, memory, pci, io, below, aligned] = regions_;
  if (ram == nullptr || memory == nullptr || pci == nullptr || io == nullptr)
    return fail("{}: the board gave it no memory", kName);
  const bool pieces = ram->kind() == RegionKind::Container && !ram->children().empty();
  if ((!ram->backed_by_ram() && !pieces) || ram->size() < 1 * MiB)
    return fail("{}: needs at least 1 MiB of plain RAM", kName);
  return {};
}

Result<> I440fxHost::realize() {
  TRY(check_regions());
  map_memory();
  address_port_.init_io(*this, "pci-conf-idx", 4,
                        io<&I440fxHost::read_address, &I440fxHost::write_address>());
  data_port_.init_io(
      *this, "pci-conf-data", 4,
      io<&I440fxHost::read_data, &I440fxHost::write_data>({.min = 1, .max = 4, .unaligned = true}));
  regions_.system_io->add(kAddressPort, address_port_);
  regions_.system_io->add(kDataPort, data_port_);

  bus_ = &add_child("pci.0", create<PciBus>());
  bus_->init(
      *regions_.pci_memory, *regions_.system_io, machine().memory(),
      [](unsigned slot, unsigned pin) { return (slot + pin + 3) & 3; },
      [this](unsigned link, bool level) { pirq_[link & 3].set(level); });
  auto made = TRY(machine().make("i440FX"));
  Object& bridge = add_child("bridge", std::move(made));
  auto& device = static_cast<PciDevice&>(bridge);
  TRY(device.set("addr", u64{0}));
  TRY(bus_->attach(device));
  return device.set_realized(true);
}

void I440fxHost::map_memory() {
  const Transaction transaction(machine().map());
  Region& memory = *regions_.system_memory;
  split_ = split_ram(static_cast<u64>(regions_.ram->size()), regions_.max_ram_below_4g,
                     regions_.align_to_gigabytes);
  ram_below_.init_alias(this, "ram-below-4g", *regions_.ram, 0, split_.below_4g);
  memory.add(0, ram_below_);
  if (split_.above_4g != 0) {
    ram_above_.init_alias(this, "ram-above-4g", *regions_.ram, split_.below_4g, split_.above_4g);
    memory.add(4 * GiB, ram_above_);
  }
  memory.add(0, *regions_.pci_memory, kPciPriority);
  on_unrealize([&memory, pci = regions_.pci_memory] { memory.remove(*pci); });
  smram_.init_container(this, "i440fx-smram", Region::kWholeSpace);
  machine().service<SystemManagement>().smram().add(0, smram_);
}

void I440fxHost::reset(ResetKind) { config_address_ = 0; }

MemResult I440fxHost::read_address(Access& access) {
  if (access.size != 4) return access_byte(access, false);
  access.value = config_address_;
  return MemResult::Ok;
}

MemResult I440fxHost::write_address(Access& access) {
  if (access.size != 4) return access_byte(access, true);
  config_address_ = static_cast<u32>(access.value) & kAddressBits;
  return MemResult::Ok;
}

// Anything narrower than a dword is not for us and goes on to the bus.
MemResult I440fxHost::access_byte(Access& access, bool write) {
  if (access.offset != kResetPort - kAddressPort || access.size != 1 || reset_port_ == nullptr)
    return MemResult::Unassigned;
  access.offset = 0;
  return reset_port_->dispatch(access, write);
}

std::optional<I440fxHost::Target> I440fxHost::target(u64 offset) const {
  if ((config_address_ & kEnable) == 0) return std::nullopt;
  PciBus* const bus = bus_->find(config_address_ >> 16 & 0xff);
  if (bus == nullptr) return std::nullopt;
  return Target{.bus = bus,
                .devfn = config_address_ >> 8 & 0xff,
                .reg = (config_address_ & 0xfc) | static_cast<unsigned>(offset & 3)};
}

u64 I440fxHost::read_data(u64 offset, unsigned size) {
  const auto at = target(offset);
  return at ? at->bus->config_read(at->devfn, at->reg, size) : all_ones(size);
}

void I440fxHost::write_data(u64 offset, u64 value, unsigned size) {
  if (const auto at = target(offset))
    at->bus->config_write(at->devfn, at->reg, static_cast<u32>(value), size);
}

namespace {
const RegisterType<I440fxHost, Device> registration;
}  // namespace

}  // namespace rhea::hw
