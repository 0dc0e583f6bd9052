// SPDX-License-Identifier: GPL-2.0-or-later
// The multiple APIC description table (ACPI 6.4, 5.2.12).
#pragma once

#include "hw/i386/acpi_table_file.h"
#include "target/x86/topology.h"

#include <vector>

namespace rhea::hw {

struct MadtFacts {
  unsigned cpus{1}, max_cpus{1};
  x86::Topology topology;        ///< gives the APIC ids
  bool has_pic{true};            ///< the 8259s
  unsigned io_apics{1};          ///< of 24 inputs each, 64 KiB apart
  std::vector<u8> level_irqs{};  ///< ISA's that are level-triggered and active high
};

inline constexpr u32 kIoApicAt = 0xfec0'0000, kIoApicApart = 0x1'0000, kIoApicInputs = 24;

/// Where it begins.
u32 add_madt(TableFile& file, const MadtFacts& facts);

}  // namespace rhea::hw
