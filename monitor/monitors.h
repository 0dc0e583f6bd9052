// SPDX-License-Identifier: GPL-2.0-or-later
// All monitors of a machine.
#pragma once

#include "rhea/chardev/chardev.h"
#include "rhea/softmmu/machine.h"
#include "util/json.h"

#include <memory>
#include <string>
#include <vector>

namespace rhea {

namespace qmp {
class Session;
}  // namespace qmp
namespace hmp {
class Session;
}  // namespace hmp

enum class MonitorMode : u8 { Human, Qmp, QmpPretty };

/// Keeps the monitors and sends the machine's events to the QMP clients:
/// machine.service<Monitors>().
class Monitors final : public MachineService {
 public:
  explicit Monitors(Machine& machine);
  ~Monitors() override;

  Result<> add(Chardev& chardev, MonitorMode mode);
  /// A monitor that start() makes, on a chardev of this id.
  void request(std::string chardev_id, MonitorMode mode);
  /// Makes the monitors that options asked for, and chardevs (-serial mon:stdio).
  Result<> start();
  /// An event to every QMP client.
  void send_event(std::string_view name, const Json& data = nullptr);
  void shutdown() override;

 private:
  void machine_event(MachineEvent event, ShutdownCause cause);

  Machine* machine_;
  std::vector<std::pair<std::string, MonitorMode>> requests_;
  std::vector<std::unique_ptr<qmp::Session>> qmp_;
  std::vector<std::unique_ptr<hmp::Session>> human_;
};

}  // namespace rhea
