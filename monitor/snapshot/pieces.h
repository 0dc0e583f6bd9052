// SPDX-License-Identifier: GPL-2.0-or-later
// The file that holds a machine: a sequence of pieces, each with its kind, its number and a
// checksum, so that a file that is cut off, changed or put together anew is found out.
//
//   u32 kind, u32 number (from 0), u32 length, the payload, u32 CRC-32 of all before it
//
// All numbers are little-endian.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/host_file.h"
#include "rhea/util/types.h"

#include <atomic>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace rhea::snapshot {

enum class PieceKind : u32 {
  Start = 0x41454852,  ///< "RHEA": what machine it is
  Devices = 1,         ///< what save_devices made
  Memory,              ///< of the pages that follow: the block's name and size
  Pages,               ///< the number of the first one, and their bytes; what is left out is zero
  Disk,                ///< of the clusters that follow: the drive's name and size
  Clusters,            ///< where on the disk, and their bytes; what is left out was not written
  End,
};

inline constexpr u64 kChunk = 256 * KiB;  ///< most bytes of memory or disk in one piece
inline constexpr u64 kMostDevices = 64 * MiB;

/// How far a piece of work is, and whether it is to end early. Any thread.
/// Of one operation: a thread that its file system keeps may hold on to it when the next has begun.
struct Progress {
  std::atomic<bool> cancelled{false};  ///< the user wants no more of it
  std::atomic<u64> completed{0};       ///< bytes
};

struct Control {
  std::stop_token stop;  ///< the program ends
  std::shared_ptr<Progress> progress{};
  /// Some bytes more are done. An error: end.
  Result<> step(u64 bytes) const;
};

/// An error's text may quote the file, in which anything may stand: as one line.
std::string one_line(std::string text);

class PieceWriter {
 public:
  PieceWriter(OutputFile& file, const Control& control) : file_(&file), control_(&control) {}
  /// The payload is `head`, then `body`.
  Result<> write(PieceKind kind, std::span<const u8> head, std::span<const u8> body = {});

 private:
  OutputFile* file_;
  const Control* control_;
  u32 number_{0};
  std::vector<u8> buffer_;
};

struct Piece {
  PieceKind kind{};
  std::span<const u8> payload;  ///< until the next one is read
};

/// Reads a regular file from its beginning. Takes no more memory than the file has bytes.
class PieceReader {
 public:
  /// The descriptor stays the caller's.
  PieceReader(int fd, const Control& control);
  u64 size() const { return size_; }
  bool at_end() const { return position_ == size_; }
  Result<Piece> next();

 private:
  Result<> read(std::span<u8> data);

  int fd_;
  const Control* control_;
  u64 size_{0}, position_{0};
  u32 number_{0};
  std::vector<u8> buffer_;
};

}  // namespace rhea::snapshot
