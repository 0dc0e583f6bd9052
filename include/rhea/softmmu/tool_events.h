// SPDX-License-Identifier: GPL-2.0-or-later
// News from devices for management tools (QMP events), at a pace that no guest can raise.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rhea {

/// machine.service<ToolEvents>(). Under the machine's lock.
class ToolEvents final : public MachineService {
 public:
  using Data = std::vector<std::pair<std::string, Value>>;
  using Observer = std::function<void(const std::string& name, const Data& data)>;

  explicit ToolEvents(Machine& machine);

  enum class Pace : u8 {
    Held,    ///< once a second at most, and then the latest
    AtOnce,  ///< for what cannot come faster than somebody outside lets it
  };
  /// Observers hear of it on the main loop; at once they do so from within, so on its thread. News
  /// of one name are held for each `about` by itself (a device's id).
  void tell(const std::string& name, Data data, Pace pace = Pace::Held,
            const std::string& about = {});
  void observe(Observer observer) { observers_.push_back(std::move(observer)); }

 private:
  struct News {
    Data data;
    bool waiting{false};
    i64 not_before_ns{0};
  };
  void deliver();

  Clock* clock_;
  std::map<std::pair<std::string, std::string>, News> news_;  ///< by name, and what it is about
  std::vector<Observer> observers_;
  Timer timer_;
};

}  // namespace rhea
