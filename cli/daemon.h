// SPDX-License-Identifier: GPL-2.0-or-later
// -daemonize: a process in a session of its own, and a caller that waits until it is ready.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"

namespace rhea::cli {

/// Lives in the background process. The caller's process ends with status 0 when success is
/// reported, and with 1 when the background process ends without (its errors go to the caller's
/// standard error).
class Daemon {
 public:
  /// Forks; returns in the background process only. There must not be any other thread.
  static Result<Daemon> start();
  /// Leaves the caller's folder, and its terminal.
  Result<> detach();
  void report_success();

 private:
  explicit Daemon(FileDescriptor caller) : caller_(std::move(caller)) {}

  FileDescriptor caller_;
};

}  // namespace rhea::cli
