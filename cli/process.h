// SPDX-License-Identifier: GPL-2.0-or-later
// What the command line asks of the process itself: going to the background, its pid file, another
// root folder, another user, a system-call filter.
//
// Steps in order: go_to_background before there are threads; settle when everything listens and
// the guest has not run yet.
#pragma once

#include "cli/daemon.h"
#include "cli/pid_file.h"
#include "cli/privileges.h"
#include "cli/sandbox.h"
#include "rhea/softmmu/machine.h"

#include <optional>
#include <set>
#include <string>

namespace rhea::cli {

class ProcessOptions final : public MachineService {
 public:
  explicit ProcessOptions(Machine& machine) : machine_(&machine) {}

  bool daemonize{false};                 ///< -daemonize
  std::string pid_path;                  ///< -pidfile
  std::string root;                      ///< -chroot
  std::optional<User> user;              ///< -runas
  std::optional<SandboxPolicy> sandbox;  ///< -sandbox
  std::set<int> handed_over;             ///< -add-fd's, of which copies are in their sets

  /// Returns in the process that goes on, whose pid is in the pid file then.
  Result<> go_to_background();
  /// Gives up what the guest's run does not need, and lets the caller of -daemonize go.
  Result<> settle();
  /// The caller of -daemonize ends with status 0.
  void report_success();

 private:
  Result<> check_background() const;

  Machine* machine_;
  std::optional<Daemon> daemon_;
  std::optional<PidFile> pid_file_;
};

}  // namespace rhea::cli
