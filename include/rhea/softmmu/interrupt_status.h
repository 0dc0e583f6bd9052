// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupt controllers as people look at them from outside (info pic, info irq).
#pragma once

#include "rhea/util/types.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

/// A device that is an interrupt controller. Main thread, under the machine's lock.
class InterruptStatus {
 public:
  virtual ~InterruptStatus() = default;
  /// Its registers, lines of text.
  virtual std::string interrupt_status() = 0;
  /// How often each input rose; nullopt where nobody counts (in the kernel).
  virtual std::optional<std::vector<u64>> interrupt_counts() const { return std::nullopt; }
};

/// The registers of one 8259.
struct PicRegisters {
  u8 irr{}, imr{}, isr{};
  u8 highest_priority_pin{};
  u8 vector_base{};
  bool read_isr{};
  u8 level_pins{};
  bool special_fully_nested{};
};
/// A line, as QEMU shows it.
std::string pic_status(std::string_view name, const PicRegisters& registers);

struct IoapicRegisters {
  u8 version{}, id{}, select{};
  u32 irr{};  ///< a bit for each pin
  std::span<const u64> redirection;
};
std::string ioapic_status(const IoapicRegisters& registers);

}  // namespace rhea
