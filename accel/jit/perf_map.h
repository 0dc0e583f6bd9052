// SPDX-License-Identifier: GPL-2.0-or-later
// -perfmap: tells perf(1) which of the guest's instructions host code belongs to, in a file of the
// format that it looks for: linux/tools/perf/Documentation/jit-interface.txt.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"
#include "target/x86/system/log.h"

#include <atomic>
#include <mutex>
#include <string>

namespace rhea::jit {

/// Code that has gone stays in the file: perf takes what was written last of an address.
class PerfMap final : public MachineService {
 public:
  explicit PerfMap(Machine&) {}
  /// Begins the file. Main thread, before the machine runs.
  Result<> open(const std::string& path);
  explicit operator bool() const { return open_.load(std::memory_order_relaxed); }
  /// Each instruction by its address, as QEMU names those without a symbol: guest-0xADDRESS. From
  /// any thread.
  void add(const x86::HostCode& code);

  bool obeyed{};  ///< something is translated

 private:
  std::atomic<bool> open_{false};
  std::mutex mutex_;
  FileDescriptor file_;
};

}  // namespace rhea::jit
