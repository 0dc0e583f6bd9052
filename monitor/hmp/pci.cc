// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: info pci.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

void print_region(Context& context, const Json& region) {
  const u64 address = region["address"].get<u64>();
  const u64 end = address + region["size"].get<u64>() - 1;
  const int bar = region["bar"].get<int>();
  if (region["type"] == "io") {
    context.print("      BAR{}: I/O at {:#06x} [{:#06x}].\n", bar, address, end);
    return;
  }
  context.print("      BAR{}: {} bit{} memory at {:#010x} [{:#010x}].\n", bar,
                region["mem_type_64"].get<bool>() ? 64 : 32,
                region["prefetch"].get<bool>() ? " prefetchable" : "", address, end);
}

void print_bridge(Context& context, const Json& bus) {
  const auto range = [&bus](const char* name, const char* end) {
    return bus[name][end].get<u64>();
  };
  context.print("      BUS {}.\n", bus["number"].get<int>());
  context.print("      secondary bus {}.\n", bus["secondary"].get<int>());
  context.print("      subordinate bus {}.\n", bus["subordinate"].get<int>());
  context.print("      IO range [{:#06x}, {:#06x}]\n", range("io_range", "base"),
                range("io_range", "limit"));
  context.print("      memory range [{:#010x}, {:#010x}]\n", range("memory_range", "base"),
                range("memory_range", "limit"));
  context.print("      prefetchable memory range [{:#010x}, {:#010x}]\n",
                range("prefetchable_range", "base"), range("prefetchable_range", "limit"));
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as bridges lie behind each other
void print_device(Context& context, const Json& device) {
  const Json& id = device["id"];
  const Json& kind = device["class_info"];
  context.print("  Bus {:2}, device {:3}, function {}:\n", device["bus"].get<int>(),
                device["slot"].get<int>(), device["function"].get<int>());
  const std::string title = kind.contains("desc")
                                ? kind["desc"].get<std::string>()
                                : fmt::format("Class {:04}", kind["class"].get<int>());
  context.print("    {}: PCI device {:04x}:{:04x}\n", title, id["vendor"].get<int>(),
                id["device"].get<int>());
  if (id.contains("subsystem"))
    context.print("      PCI subsystem {:04x}:{:04x}\n", id["subsystem-vendor"].get<int>(),
                  id["subsystem"].get<int>());
  if (device.contains("irq"))
    context.print("      IRQ {}, pin {}\n", device["irq"].get<int>(),
                  static_cast<char>('A' + device["irq_pin"].get<int>() - 1));
  const bool is_bridge = device.contains("pci_bridge");
  if (is_bridge) print_bridge(context, device["pci_bridge"]["bus"]);
  for (const Json& region : device["regions"]) print_region(context, region);
  context.print("      id \"{}\"\n", device["qdev_id"].get<std::string>());
  if (is_bridge && device["pci_bridge"].contains("devices"))
    for (const Json& behind : device["pci_bridge"]["devices"]) print_device(context, behind);
}

Result<> pci(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const Json& bus : TRY(context.call("query-pci")))
    for (const Json& device : bus["devices"]) print_device(context, device);
  return {};
}

const RegisterInfo registration{{"pci", "", "show PCI info", &pci}};

}  // namespace
}  // namespace rhea::hmp
