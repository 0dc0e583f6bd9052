// SPDX-License-Identifier: GPL-2.0-or-later
// The script by which firmware places tables in guest memory, links and sums them
// (fw_cfg file etc/table-loader; QEMU's bios-linker-loader interface).
#pragma once

#include "hw/i386/table_writer.h"

#include <string_view>

namespace rhea::hw {

class BiosLinker {
 public:
  enum class Zone : u8 { High = 1, FSeg = 2 };

  void allocate(std::string_view file, u32 alignment, Zone zone) {
    TableWriter entry;
    entry.dword(1).text(file, kNameSize).dword(alignment).byte(static_cast<u8>(zone));
    append(entry);
  }
  /// Adds the address of `source` to the `size`-byte number at `offset` of `file`.
  void add_pointer(std::string_view file, std::string_view source, u32 offset, u8 size) {
    TableWriter entry;
    entry.dword(2).text(file, kNameSize).text(source, kNameSize).dword(offset).byte(size);
    append(entry);
  }
  /// Makes the bytes [start, start + length) of `file` sum to zero by the byte at `offset`.
  void add_checksum(std::string_view file, u32 offset, u32 start, u32 length) {
    TableWriter entry;
    entry.dword(3).text(file, kNameSize).dword(offset).dword(start).dword(length);
    append(entry);
  }
  /// Has firmware write the address of `source`, plus `source_offset`, into `size` bytes at
  /// `offset` of the fw_cfg file `file`.
  void write_pointer(std::string_view file, std::string_view source, u32 offset, u32 source_offset,
                     u8 size) {
    TableWriter entry;
    entry.dword(4).text(file, kNameSize).text(source, kNameSize);
    entry.dword(offset).dword(source_offset).byte(size);
    append(entry);
  }
  const std::vector<u8>& script() const { return script_; }

 private:
  static constexpr std::size_t kNameSize = 56;
  static constexpr std::size_t kEntrySize = 128;
  void append(TableWriter& entry) {
    entry.zeroes(kEntrySize - entry.size());
    script_.insert(script_.end(), entry.data.begin(), entry.data.end());
  }
  std::vector<u8> script_;
};

}  // namespace rhea::hw
