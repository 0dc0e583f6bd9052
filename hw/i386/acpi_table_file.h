// SPDX-License-Identifier: GPL-2.0-or-later
// The fw_cfg file that ACPI tables go to, with the script that places and links them.
#pragma once

#include "hw/i386/bios_linker.h"
#include "hw/i386/table_writer.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::hw {

inline constexpr std::string_view kTablesFile = "etc/acpi/tables";

/// Who made a table.
struct OemIds {
  std::string id{"RHEA"}, table{"RHEAPC"};
};

/// Tables one behind the other in one file, with the linker's script beside them.
class TableFile {
 public:
  TableFile() { linker.allocate(kTablesFile, 64, BiosLinker::Zone::High); }

  // Every table but the FACS begins with this header; length and checksum are filled in by end().
  u32 begin(std::string_view signature, u8 revision, const OemIds& oem = {}) {
    const auto start = static_cast<u32>(out.size());
    out.text(signature, 4)
        .dword(0)
        .byte(revision)
        .byte(0)
        .text(oem.id, 6, ' ')
        .text(oem.table, 8, ' ');
    out.dword(1).text("RHEA", 4).dword(1);
    return start;
  }
  void end(u32 start) {
    const auto length = static_cast<u32>(out.size()) - start;
    out.patch(start + 4, length, 4);
    linker.add_checksum(kTablesFile, start + 9, start, length);
  }
  /// A whole table, checksums and all; returns where it is.
  u32 add(const std::vector<u8>& table) {
    const auto start = static_cast<u32>(out.size());
    out.bytes(table);
    return start;
  }
  /// Room to grow, so that a machine restored elsewhere finds files of the same size.
  void pad() { out.zeroes((0x1000 - out.size() % 0x1000) % 0x1000); }
  /// A pointer field here to the table at `target` in this file.
  void pointer(u32 target) {
    const auto at = static_cast<u32>(out.size());
    out.dword(target);
    linker.add_pointer(kTablesFile, kTablesFile, at, 4);
  }

  /// The same of 64 bits.
  void long_pointer(u32 target) {
    const auto at = static_cast<u32>(out.size());
    out.qword(target);
    linker.add_pointer(kTablesFile, kTablesFile, at, 8);
  }

  TableWriter out;
  BiosLinker linker;
};

}  // namespace rhea::hw
