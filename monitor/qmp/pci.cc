// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: query-pci.
#include "rhea/hw/pci.h"

#include "monitor/qmp/command.h"

#include <algorithm>
#include <array>

namespace rhea::qmp {
namespace {

struct ClassName {
  unsigned code;
  std::string_view name;
};
// Class and subclass (PCI Local Bus Specification 3.0, appendix D), in QEMU's words.
constexpr std::array kClasses = {
    ClassName{0x0001, "VGA controller"},
    ClassName{0x0100, "SCSI controller"},
    ClassName{0x0101, "IDE controller"},
    ClassName{0x0102, "Floppy controller"},
    ClassName{0x0103, "IPI controller"},
    ClassName{0x0104, "RAID controller"},
    ClassName{0x0106, "SATA controller"},
    ClassName{0x0107, "SAS controller"},
    ClassName{0x0180, "Storage controller"},
    ClassName{0x0200, "Ethernet controller"},
    ClassName{0x0280, "Network controller"},
    ClassName{0x0300, "VGA controller"},
    ClassName{0x0301, "XGA controller"},
    ClassName{0x0302, "3D controller"},
    ClassName{0x0380, "Display controller"},
    ClassName{0x0400, "Video controller"},
    ClassName{0x0401, "Audio controller"},
    ClassName{0x0403, "Audio controller"},
    ClassName{0x0500, "RAM controller"},
    ClassName{0x0501, "Flash controller"},
    ClassName{0x0600, "Host bridge"},
    ClassName{0x0601, "ISA bridge"},
    ClassName{0x0604, "PCI bridge"},
    ClassName{0x0680, "Bridge"},
    ClassName{0x0700, "Serial port"},
    ClassName{0x0701, "Parallel port"},
    ClassName{0x0c00, "Firewire controller"},
    ClassName{0x0c03, "USB controller"},
    ClassName{0x0c05, "SMBus"},
};

Json class_info(const PciDevice& device) {
  const unsigned code = device.config16(pci::kSubclass);
  Json info = {{"class", code}};
  const auto* it = std::ranges::find(kClasses, code, &ClassName::code);
  if (it != kClasses.end()) info["desc"] = it->name;
  return info;
}

Json regions_of(const PciDevice& device) {
  Json list = Json::array();
  for (unsigned n = 0; n < 7; ++n) {
    const auto bar = device.bar_info(n);
    if (!bar) continue;
    Json region = {{"bar", n}, {"address", bar->address}, {"size", bar->size}};
    region["type"] = bar->kind == BarKind::Io ? "io" : "memory";
    if (bar->kind != BarKind::Io) {
      region["mem_type_64"] =
          bar->kind == BarKind::Memory64 || bar->kind == BarKind::MemoryPrefetch64;
      region["prefetch"] =
          bar->kind == BarKind::MemoryPrefetch32 || bar->kind == BarKind::MemoryPrefetch64;
    }
    list.push_back(region);
  }
  return list;
}

Json devices_of(const PciBus& bus);

Json range_info(const PciDevice::Range& range) {
  return {{"base", range.base}, {"limit", range.limit}};
}

Json bridge_info(const PciBus& bus, const PciDevice& bridge) {
  const auto ranges = bridge.forwarded();
  Json info = {{"bus",
                {{"number", bus.number()},
                 {"secondary", bridge.secondary_number()},
                 {"subordinate", bridge.subordinate_number()},
                 {"io_range", range_info(ranges[0])},
                 {"memory_range", range_info(ranges[1])},
                 {"prefetchable_range", range_info(ranges[2])}}}};
  // Before firmware has numbered it, nobody reaches what is behind.
  if (bridge.secondary_number() != 0) info["devices"] = devices_of(*bridge.secondary_bus());
  return info;
}

// A bridge's header has no room for a subsystem.
Json identity(const PciDevice& device) {
  Json id = {{"vendor", device.config16(pci::kVendorId)},
             {"device", device.config16(pci::kDeviceId)}};
  if (device.secondary_bus() == nullptr) {
    id["subsystem-vendor"] = device.config16(pci::kSubsystemVendorId);
    id["subsystem"] = device.config16(pci::kSubsystemId);
  }
  return id;
}

Json device_info(const PciBus& bus, const PciDevice& device) {
  const u8 pin = device.config8(pci::kInterruptPin);
  Json info = {{"bus", bus.number()},           {"slot", device.slot()},
               {"function", device.function()}, {"class_info", class_info(device)},
               {"id", identity(device)},        {"irq_pin", pin},
               {"qdev_id", device.id()},        {"regions", regions_of(device)}};
  if (pin != 0) info["irq"] = device.config8(pci::kInterruptLine);
  if (device.secondary_bus() != nullptr) info["pci_bridge"] = bridge_info(bus, device);
  return info;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as bridges lie behind each other
Json devices_of(const PciBus& bus) {
  Json devices = Json::array();
  for (unsigned devfn = 0; devfn < 256; ++devfn)
    if (const PciDevice* device = bus.device(devfn)) devices.push_back(device_info(bus, *device));
  return devices;
}

Result<Json> query_pci(Context& context, const Json&) {
  Json list = Json::array();
  context.machine.visit([&](Object& object) {
    const auto* bus = dynamic_cast<const PciBus*>(&object);
    if (bus == nullptr || dynamic_cast<const PciDevice*>(bus->parent()) != nullptr) return;
    list.push_back({{"bus", bus->number()}, {"devices", devices_of(*bus)}});
  });
  return list;
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "PciDeviceClass", .members = {{"desc", "str", true}, {"class", "int"}}}),
    RegisterQmpType({.name = "PciDeviceId",
                     .members = {{"device", "int"},
                                 {"vendor", "int"},
                                 {"subsystem", "int", true},
                                 {"subsystem-vendor", "int", true}}}),
    RegisterQmpType({.name = "PciMemoryRegion",
                     .members = {{"bar", "int"},
                                 {"type", "str"},
                                 {"address", "int"},
                                 {"size", "int"},
                                 {"prefetch", "bool", true},
                                 {"mem_type_64", "bool", true}}}),
    RegisterQmpType({.name = "PciMemoryRange", .members = {{"base", "int"}, {"limit", "int"}}}),
    RegisterQmpType({.name = "PciBusInfo",
                     .members = {{"number", "int"},
                                 {"secondary", "int"},
                                 {"subordinate", "int"},
                                 {"io_range", "PciMemoryRange"},
                                 {"memory_range", "PciMemoryRange"},
                                 {"prefetchable_range", "PciMemoryRange"}}}),
    RegisterQmpType({.name = "PciBridgeInfo",
                     .members = {{"bus", "PciBusInfo"}, {"devices", "[PciDeviceInfo]", true}}}),
    RegisterQmpType({.name = "PciDeviceInfo",
                     .members = {{"bus", "int"},
                                 {"slot", "int"},
                                 {"function", "int"},
                                 {"class_info", "PciDeviceClass"},
                                 {"id", "PciDeviceId"},
                                 {"irq", "int", true},
                                 {"irq_pin", "int"},
                                 {"qdev_id", "str"},
                                 {"pci_bridge", "PciBridgeInfo", true},
                                 {"regions", "[PciMemoryRegion]"}}}),
    RegisterQmpType(
        {.name = "PciInfo", .members = {{"bus", "int"}, {"devices", "[PciDeviceInfo]"}}}),
};
const RegisterQmpCommand registration{
    {.name = "query-pci", .returns = "[PciInfo]", .run = &query_pci}};

}  // namespace
}  // namespace rhea::qmp
