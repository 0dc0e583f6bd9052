// SPDX-License-Identifier: GPL-2.0-or-later
// An i440FX with PIIX3 and PIIX4 power management on a machine without a processor.
#include "tests/pci/chipset.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/snapshot.h"

#include <algorithm>
#include <stdexcept>

namespace rhea::test {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

Chipset::Chipset(u64 ram_size, u64 max_ram_below_4g, bool smm) {
  machine.lock().lock();
  machine.virtual_clock().set_manual(0);
  if (!ram_.init_ram(nullptr, "pc.ram", ram_size)) throw std::runtime_error("no memory");
  if (!rom.init_rom(nullptr, "rom", kRomSize)) throw std::runtime_error("no memory");
  std::fill_n(rom.host(), kRomSize, u8{0xf0});
  pci_memory_.init_container(nullptr, "pci", Region::kWholeSpace);
  pci_memory_.add(0xc0000, rom);

  auto object = must(machine.make("i440FX-pcihost"));
  host = static_cast<hw::I440fxHost*>(object.get());
  host->set_regions({.ram = &ram_,
                     .system_memory = &machine.system_memory(),
                     .pci_memory = &pci_memory_,
                     .system_io = &machine.system_io(),
                     .max_ram_below_4g = max_ram_below_4g});
  must(machine.add_device(std::move(object), nullptr, "i440fx"));
  const auto add = [this, smm](std::string_view type, std::string_view addr) {
    auto device = must(machine.make(type));
    must(device->set("addr", std::string(addr)));
    if (type == "PIIX4_PM") must(device->set("smm-enabled", smm));
    return must(machine.add_device(std::move(device), &host->bus()));
  };
  piix3 = add("PIIX3", "1.0");
  auto* isa = static_cast<IsaBus*>(piix3->child("isa.0"));
  isa->set_irqs([this](unsigned line) { return Irq::to<&Chipset::set_irq>(*this, line); });
  for (unsigned line = 0; line < irq.size(); ++line)
    piix3->connect_gpio_out("isa-irq", line, isa->irq(line));
  pm = add("PIIX4_PM", "1.3");
  pm->connect_gpio_out("sci", 0, Irq::to<&Chipset::set_sci>(*this, 0));
  pm->connect_gpio_out("smi-irq", 0, Irq::to<&Chipset::set_smi>(*this, 0));
  machine.on_event([this](MachineEvent event, ShutdownCause) {
    resets += event == MachineEvent::Reset ? 1 : 0;
    shutdowns += event == MachineEvent::Shutdown ? 1 : 0;
  });
  reset();
}

Chipset::~Chipset() {
  static_cast<void>(host->set_realized(false));
  machine.lock().unlock();
}

u32 Chipset::config(unsigned devfn, unsigned reg, unsigned size) {
  out(0xcf8, 0x8000'0000 | devfn << 8 | (reg & 0xfc), 4);
  return static_cast<u32>(in(static_cast<u16>(0xcfc + (reg & 3)), size));
}

void Chipset::set_config(unsigned devfn, unsigned reg, u32 value, unsigned size) {
  out(0xcf8, 0x8000'0000 | devfn << 8 | (reg & 0xfc), 4);
  out(static_cast<u16>(0xcfc + (reg & 3)), value, size);
}

std::vector<u8> Chipset::save() { return save_machine(machine); }
Result<> Chipset::load(const std::vector<u8>& stream) { return load_machine(machine, stream); }

void Chipset::settle() { machine.loop().iterate(false); }

}  // namespace rhea::test
