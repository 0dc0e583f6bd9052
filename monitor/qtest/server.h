// SPDX-License-Identifier: GPL-2.0-or-later
// A qtest server on a chardev.
#pragma once

#include "monitor/output.h"
#include "monitor/qtest/protocol.h"
#include "rhea/util/file_descriptor.h"

#include <string>

namespace rhea::qtest {

/// machine.service<Server>(): there is at most one.
class Server final : public MachineService {
 public:
  explicit Server(Machine& machine);

  Result<> start(Chardev& chardev);
  /// Everything said goes there as well.
  Result<> log_to(const std::string& path);
  bool started() const { return chardev_ != nullptr; }
  void shutdown() override;

 private:
  void receive(std::span<const u8> data);
  void run_line();
  void send(const std::string& line);
  void log(std::string_view prefix, std::string_view line);

  Machine* machine_;
  Chardev* chardev_{};
  Protocol protocol_;
  std::unique_ptr<monitor::Output> output_;
  std::string line_;
  bool too_long_{false};
  FileDescriptor log_;
};

}  // namespace rhea::qtest
