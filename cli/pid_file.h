// SPDX-License-Identifier: GPL-2.0-or-later
// -pidfile: a file with the process's id, for as long as it runs.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"

#include <string>

namespace rhea::cli {

/// Locked while it lives, so that a second process with the same file is refused. Removed at the
/// end, also by std::quick_exit. One a process.
class PidFile {
 public:
  static Result<PidFile> create(const std::string& path);
  PidFile(PidFile&&) = default;
  PidFile& operator=(PidFile&&) = default;
  ~PidFile();

 private:
  explicit PidFile(FileDescriptor fd) : fd_(std::move(fd)) {}

  FileDescriptor fd_;
};

}  // namespace rhea::cli
