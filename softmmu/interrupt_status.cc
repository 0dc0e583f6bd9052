// SPDX-License-Identifier: GPL-2.0-or-later
// The texts of `info pic`, for controllers in devices and in the kernel alike.
#include "rhea/softmmu/interrupt_status.h"

#include <fmt/format.h>

#include <array>

namespace rhea {
namespace {

constexpr unsigned kFirstEntry = 0x10;  // of the redirection table, among the registers

std::string pins(std::string_view title, std::span<const u64> redirection,
                 bool (*set)(u32 irr, u64 entry, unsigned pin), u32 irr) {
  std::string list;
  for (unsigned pin = 0; pin < redirection.size(); ++pin)
    if (set(irr, redirection[pin], pin)) list += fmt::format(" {}", pin);
  return fmt::format("  {:<9}{}\n", title, list.empty() ? " (none)" : list);
}

}  // namespace

std::string pic_status(std::string_view name, const PicRegisters& r) {
  return fmt::format(
      "{}: irr={:02x} imr={:02x} isr={:02x} hprio={} irq_base={:02x} rr_sel={} elcr={:02x} "
      "fnm={}\n",
      name, r.irr, r.imr, r.isr, r.highest_priority_pin, r.vector_base, r.read_isr ? 1 : 0,
      r.level_pins, r.special_fully_nested ? 1 : 0);
}

std::string ioapic_status(const IoapicRegisters& r) {
  constexpr std::array<const char*, 8> modes = {"fixed", "lowest", "SMI", "...",
                                                "NMI",   "INIT",   "...", "extINT"};
  std::string text =
      fmt::format("ioapic0: ver={:#04x} id={:#04x} sel={:#04x}", r.version, r.id, r.select);
  if (r.select >= kFirstEntry) text += fmt::format(" (redir[{}])", (r.select - kFirstEntry) / 2);
  text += '\n';
  for (unsigned pin = 0; pin < r.redirection.size(); ++pin) {
    const u64 entry = r.redirection[pin];
    text += fmt::format(
        "  pin {:<2} 0x{:016x} dest={:x} vec={:<3} {} {:<5} {:<6} {:<6} {}\n", pin, entry,
        entry >> 56, entry & 0xff, (entry & 1 << 13) != 0 ? "active-lo" : "active-hi",
        (entry & 1 << 15) != 0 ? "level" : "edge", (entry & 1 << 16) != 0 ? "masked" : "",
        modes[entry >> 8 & 7], (entry & 1 << 11) != 0 ? "logical" : "physical");
  }
  text += pins(
      "IRR", r.redirection, [](u32 irr, u64, unsigned pin) { return (irr >> pin & 1) != 0; },
      r.irr);
  text += pins(
      "Remote IRR", r.redirection, [](u32, u64 entry, unsigned) { return (entry & 1 << 14) != 0; },
      r.irr);
  return text;
}

}  // namespace rhea
