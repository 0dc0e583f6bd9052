// SPDX-License-Identifier: GPL-2.0-or-later
// The machine's VNC servers.
#pragma once

#include "rhea/softmmu/machine.h"
#include "ui/vnc/server.h"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace rhea::ui::vnc {

/// machine.service<Servers>(). Main loop, under the machine's lock.
class Servers final : public MachineService {
 public:
  explicit Servers(Machine& machine);
  void shutdown() override { all_.clear(); }

  /// As -vnc has it; "none" is none. It listens at once, and serves when the machine is ready.
  Result<> add(std::string_view text);
  const std::vector<std::unique_ptr<Server>>& all() const { return all_; }
  /// By its id; the first one without. nullptr: there is none.
  Server* find(std::optional<std::string_view> id) const;
  /// VNC_CONNECTED, VNC_INITIALIZED, VNC_DISCONNECTED.
  void observe(Server::Tell observer) { observers_.push_back(std::move(observer)); }

 private:
  Machine* machine_;
  bool ready_{false};
  std::vector<std::unique_ptr<Server>> all_;
  std::vector<Server::Tell> observers_;
};

}  // namespace rhea::ui::vnc
