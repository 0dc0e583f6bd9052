// SPDX-License-Identifier: GPL-2.0-or-later
// The ACPI tables of nodes: which memory and processors lie near each other, and how near.
#pragma once

#include "hw/i386/acpi_table_file.h"
#include "hw/i386/acpi_tables.h"

namespace rhea::hw {

/// System resource affinity table (ACPI 6.4, 5.2.16); returns where it begins.
u32 add_srat(TableFile& file, const AcpiConfig& config);
/// System locality distance information table (5.2.17).
u32 add_slit(TableFile& file, const AcpiConfig& config);

}  // namespace rhea::hw
