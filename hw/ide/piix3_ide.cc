// SPDX-License-Identifier: GPL-2.0-or-later
// The IDE function of Intel's PIIX3: two channels at the legacy ports, with bus mastering.
#include "hw/ide/bus_master.h"
#include "hw/ide/ide_bus.h"
#include "rhea/hw/isa.h"
#include "rhea/hw/pci.h"

namespace rhea::hw {
namespace {

struct LegacyPorts {
  u16 command, control;
  u8 irq;
};
constexpr std::array kLegacy = {LegacyPorts{0x1f0, 0x3f6, 14}, LegacyPorts{0x170, 0x376, 15}};
constexpr u8 kTimingRegisters = 0x40, kSlaveTiming = 0x44;

/// Function 1 of the 82371SB (Intel 290550, 2.3 and 3.4). Output pins 0 and 1 are the channels'
/// interrupts; where the board leaves them open they go to ISA lines 14 and 15. State: complete.
/// Missing: the timing registers are kept but gate nothing: the ports always decode.
class Piix3Ide final : public PciDevice {
 public:
  static constexpr std::string_view kName = "piix3-ide";
  static constexpr PciIdentity kPci{.vendor = 0x8086, .device = 0x7010, .klass = 0x010180};
  static void describe(Schema<Piix3Ide>& s);

  Piix3Ide();
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  struct Channel {
    IdeBus* bus{};
    IrqOutput irq;
    Region command;
    Region control;
  };
  void map_channel(unsigned n);
  u64 read_master(u64 offset, unsigned) { return masters_[offset >> 3 & 1].read(offset & 7); }
  void write_master(u64 offset, u64 value, unsigned) {
    masters_[offset >> 3 & 1].write(offset & 7, static_cast<u8>(value));
  }

  std::array<Channel, 2> channels_;
  std::array<BusMaster, 2> masters_;
  Region master_region_;
};

void Piix3Ide::describe(Schema<Piix3Ide>& s) {
  s.help("PIIX3 IDE controller");
  s.state("bus-masters", &Piix3Ide::masters_);
}

Piix3Ide::Piix3Ide() {
  config_set16(kTimingRegisters, 0, 0xffff);
  config_set16(kTimingRegisters + 2, 0, 0xffff);
  config_set8(kSlaveTiming, 0, 0xff);
  for (unsigned n = 0; n < channels_.size(); ++n) {
    Channel& channel = channels_[n];
    channel.bus = &add_child(fmt::format("ide.{}", n), create<IdeBus>());
    channel.bus->init(n, channel.irq, &masters_[n]);
    masters_[n].init(*channel.bus, dma());
    init_gpio_out("", channel.irq);
  }
}

void Piix3Ide::map_channel(unsigned n) {
  Channel& channel = channels_[n];
  const LegacyPorts& ports = kLegacy[n];
  channel.command.init_io(
      this, fmt::format("ide.{}-command", n), 8,
      io<&IdeBus::read_command, &IdeBus::write_command>({.min = 1, .max = 4, .unaligned = true}),
      channel.bus);
  channel.control.init_io(
      this, fmt::format("ide.{}-control", n), 1,
      io<&IdeBus::read_control, &IdeBus::write_control_port>({.min = 1, .max = 1}), channel.bus);
  pci_bus().io().add(ports.command, channel.command, 1);
  pci_bus().io().add(ports.control, channel.control, 1);
  if (channel.irq.connected()) return;
  if (const auto* isa = dynamic_cast<IsaBus*>(machine().find_bus(IsaBus::kName)))
    channel.irq.connect(isa->irq(ports.irq));
}

Result<> Piix3Ide::realize() {
  TRY(PciDevice::realize());
  for (unsigned n = 0; n < channels_.size(); ++n) map_channel(n);
  master_region_.init_io(*this, "piix-bmdma", 16,
                         io<&Piix3Ide::read_master, &Piix3Ide::write_master>(
                             {.min = 1, .max = 4, .unaligned = true}, {.min = 1, .max = 1}));
  TRY(bar(4, master_region_, BarKind::Io));
  return {};
}

void Piix3Ide::reset(ResetKind kind) {
  PciDevice::reset(kind);
  for (BusMaster& master : masters_) master.reset();
  for (const Channel& channel : channels_) channel.bus->reset_registers();
}

const RegisterType<Piix3Ide> registration;

}  // namespace
}  // namespace rhea::hw
