// SPDX-License-Identifier: GPL-2.0-or-later
// The debugger's server of a machine: where it listens, and what the next debugger is told.
#pragma once

#include "gdbstub/register_list.h"
#include "rhea/softmmu/machine.h"

#include <memory>
#include <optional>
#include <string>

namespace rhea::gdbstub {

class Session;

/// machine.service<Server>(). On the main thread.
class Server final : public MachineService {
 public:
  static constexpr std::string_view kDefaultDevice = "tcp::1234";

  explicit Server(Machine& machine);
  ~Server() override;

  /// What -gdb says: serve() once there are processors.
  void request(std::string device) { requested_ = std::move(device); }
  /// Does what was asked for, and lets the monitors ask.
  Result<> start();
  /// Listens there instead of where it did: a character device as -serial names it, with TCP as a
  /// server that does not wait; "none": nowhere.
  Result<> serve(const std::string& device);
  /// For the next debugger; "auto": by the processor's mode. Empty: none is chosen anew.
  Result<std::string> choose_layout(const std::string& name);
  void shutdown() override;

 private:
  Result<> open(const std::string& device);
  void close();

  Machine* machine_;
  std::string requested_;
  std::optional<Layout> layout_;
  std::string own_chardev_;  ///< made for the session; empty: the session is on somebody else's
  std::unique_ptr<Session> session_;
};

}  // namespace rhea::gdbstub
