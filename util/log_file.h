// SPDX-License-Identifier: GPL-2.0-or-later
// The file that -D, logfile and -trace file= name, written by a thread of its own.
#pragma once

#include "rhea/util/file_writer.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

namespace rhea {

/// Takes lines as fast as they are written. One who is slower is waited for as long as something is
/// taken; one that has stopped (a pipe that nobody reads, a file system that does not answer) costs
/// half a second once: from then on lines are dropped until there is room again, which then says
/// how many. One thread at a time.
class LogFile {
 public:
  explicit LogFile(FileDescriptor fd);
  /// Waits half a second for what is left.
  ~LogFile() { flush(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  void write(std::string_view text);
  /// Waits half a second at most.
  void flush();

 private:
  bool send(std::string_view text);

  std::mutex mutex_;
  std::condition_variable changed_;
  u64 rooms_{0};  ///< how often there was room again; guarded by mutex_
  u64 lost_{0};
  bool stalled_{false};
  bool torn_{false};  ///< the last line was cut short
  FileWriter writer_;
};

}  // namespace rhea
