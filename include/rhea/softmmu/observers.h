// SPDX-License-Identifier: GPL-2.0-or-later
// Functions that hear of something.
#pragma once

#include "rhea/qom/device.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace rhea {

/// Called in the order in which they came. One that belongs to a device ends when that is
/// unrealized. Main thread, machine's lock.
template <class... Args>
class Observers {
 public:
  using Function = std::function<void(Args...)>;

  void add(Function tell, Device* device) {
    const auto added = std::make_shared<Entry>(Entry{.tell = std::move(tell)});
    entries_.push_back(added);
    if (device == nullptr) return;
    device->on_unrealize([this, added] {
      added->gone = true;
      std::erase(entries_, added);
    });
  }
  /// They may come and go meanwhile.
  void tell(Args... args) const {
    const auto entries = entries_;
    for (const auto& entry : entries)
      if (!entry->gone) entry->tell(args...);
  }

 private:
  struct Entry {
    Function tell;
    bool gone{false};
  };
  std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace rhea
