// SPDX-License-Identifier: GPL-2.0-or-later
// The ACPI tables of devices that not every machine has.
#pragma once

#include "hw/i386/acpi_table_file.h"
#include "rhea/util/types.h"

#include <optional>
#include <string_view>
#include <vector>

namespace rhea::hw {

/// Which of them there are.
struct DeviceTables {
  std::optional<u16> panic_port{};  ///< of the ISA device pvpanic
  std::optional<u32> hpet_block{};  ///< the event timer block's id: its capabilities' lower half
  bool generation{false};           ///< vmgenid
};

/// Adds the tables; returns where each begins.
std::vector<u32> add_device_tables(TableFile& file, const DeviceTables& devices);

/// The value of a Name in compiled AML: NameOp, four letters, a Byte or DWord constant. Returns
/// where the constant is.
std::size_t patch_name(std::vector<u8>& aml, std::string_view name, u64 value);

}  // namespace rhea::hw
