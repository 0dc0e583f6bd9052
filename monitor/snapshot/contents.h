// SPDX-License-Identifier: GPL-2.0-or-later
// A whole machine on its way into a file and out of one.
#pragma once

#include "block/overlay.h"
#include "monitor/snapshot/description.h"
#include "monitor/snapshot/pieces.h"
#include "rhea/softmmu/ram_block.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rhea::snapshot {

/// What was written to a drive under -snapshot.
struct DiskChanges {
  std::string drive;
  u64 size{};
  block::Overlay::Layer layer;
};

/// A machine at one moment: the state itself, and references to its memory and disks, which must
/// stay as they are until it is written.
struct Contents {
  Description what;
  std::vector<u8> devices;
  std::vector<std::shared_ptr<RamBlock>> memory;
  std::vector<DiskChanges> disks;

  u64 bytes() const;  ///< of memory
};

/// Main thread, the machine and its disks standing still.
Result<Contents> take_contents(Machine& machine);
/// On any thread.
Result<> write_contents(const Contents& contents, OutputFile& file, const Control& control);

/// A file that was read once from end to end: everything is there and undamaged.
struct CheckedFile {
  FileDescriptor file;
  Description what;
  std::vector<u8> devices;
  std::map<std::string, u64> memory;  ///< sizes of the blocks by their names
};
/// On any thread. Changes nothing.
Result<CheckedFile> check_file(FileDescriptor file, const Control& control);

/// Whether the machine has the memory that was saved, and no other.
Result<> check_memory(const CheckedFile& file, Machine& machine);

/// Reads the file again, into the machine's memory and into new layers for its disks. On any thread
/// while the machine stands still; on error memory is partly that of the file.
Result<std::vector<DiskChanges>> load_contents(const CheckedFile& file,
                                               const std::vector<std::shared_ptr<RamBlock>>& memory,
                                               const Control& control);

}  // namespace rhea::snapshot
