// SPDX-License-Identifier: GPL-2.0-or-later
// The ACPI tables of the microvm board.
#pragma once

#include "hw/i386/acpi_tables.h"
#include "hw/i386/madt.h"

namespace rhea::hw {

/// What a virtio transport is to those who look for it.
struct MicrovmWindow {
  unsigned number{};
  u64 address{};
  u32 gsi{};
};

struct MicrovmAcpi {
  MadtFacts madt;
  bool has_serial{}, has_clock{};
  std::vector<MicrovmWindow> virtio;           ///< those with a device
  std::vector<std::vector<u8>> user_tables{};  ///< whole ones, checksums and all
};

/// Hardware-reduced ACPI: power-off, reset and the power button are the Generic Event Device's.
AcpiTables build_microvm_tables(const MicrovmAcpi& config);

}  // namespace rhea::hw
