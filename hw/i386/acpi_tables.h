// SPDX-License-Identifier: GPL-2.0-or-later
// The ACPI tables of the PC board, as firmware gets them.
#pragma once

#include "hw/i386/device_tables.h"
#include "rhea/util/types.h"
#include "target/x86/topology.h"

#include <vector>

namespace rhea::hw {

/// Which sleep states the power management device has, and S4's SLP_TYP.
struct SleepStates {
  bool s3{true};
  bool s4{true};
  u8 s4_type{2};
};

/// What -numa says; empty without.
struct NumaTables {
  std::vector<u64> memory;          ///< bytes of each node, one behind the other in RAM
  std::vector<unsigned> cpu_nodes;  ///< of every processor that there may be
  std::vector<u8> distances;        ///< node by node; empty: not told
};

/// What the tables say of this very machine.
struct AcpiConfig {
  unsigned cpus{1};
  unsigned max_cpus{1};
  x86::Topology topology;         ///< gives the APIC ids
  u64 pci_low_first{0xe0000000};  ///< PCI window below 4 GiB; it ends at the I/O APIC
  u64 pci_high_first{4 * GiB};    ///< window above RAM
  u64 pci_high_last{36 * GiB - 1};
  bool serial[2]{};
  bool parallel[3]{};
  u16 pm_base{kUsualPmBase};  ///< where firmware put the PIIX4's power management ports
  bool has_pic{true};         ///< the 8259s
  SleepStates sleep{};
  NumaTables numa{};
  DeviceTables devices{};
  std::vector<std::vector<u8>> user_tables{};  ///< whole ones, checksums and all

  static constexpr u16 kUsualPmBase = 0x600;
};

struct AcpiTables {
  std::vector<u8> tables;  ///< fw_cfg file etc/acpi/tables
  std::vector<u8> rsdp;    ///< etc/acpi/rsdp
  std::vector<u8> loader;  ///< etc/table-loader
};

AcpiTables build_acpi_tables(const AcpiConfig& config);

}  // namespace rhea::hw
