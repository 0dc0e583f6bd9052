// SPDX-License-Identifier: GPL-2.0-or-later
// A file of frames, as libpcap reads it (https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/).
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/softmmu/ending.h"
#include "rhea/util/file_writer.h"

#include <memory>
#include <string>
#include <vector>

namespace rhea::net {

/// Written by a thread of its own. What the disk does not take in time is lost, whole frames of it.
class PcapFile {
 public:
  /// Made anew. `longest` bytes of a frame are kept.
  static Result<std::unique_ptr<PcapFile>> create(const std::string& path, u32 longest,
                                                  const Ending& ending);
  /// Waits for what is not written yet as long as `ending` has it.
  ~PcapFile();
  PcapFile(const PcapFile&) = delete;
  PcapFile& operator=(const PcapFile&) = delete;

  /// Not thread-safe; never waits.
  void write(Frame frame);

 private:
  PcapFile(FileDescriptor file, std::string path, u32 longest, const Ending& ending);
  bool put_rest();

  const Ending* ending_;
  const u32 longest_;
  FileWriter writer_;
  std::vector<u8> rest_;  ///< of a record for which there was no room
  std::size_t rest_put_{0};
  u64 lost_{0};
  const std::string path_;
};

}  // namespace rhea::net
