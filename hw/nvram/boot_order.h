// SPDX-License-Identifier: GPL-2.0-or-later
// What firmware tries to boot first: fw_cfg file "bootorder".
#pragma once

#include "rhea/softmmu/machine.h"

#include <map>
#include <string>
#include <vector>

namespace rhea::hw {

/// Open Firmware style paths, as SeaBIOS and OVMF compare them, by boot index; the least comes
/// first.
class BootOrder final : public MachineService {
 public:
  explicit BootOrder(Machine&) {}
  void add(i64 index, std::string path) { paths_.emplace(index, std::move(path)); }
  bool empty() const { return paths_.empty(); }
  /// One path a line, ended by a zero.
  std::vector<u8> file() const {
    std::vector<u8> text;
    for (const auto& [index, path] : paths_) {
      text.insert(text.end(), path.begin(), path.end());
      text.push_back('\n');
    }
    text.push_back(0);
    return text;
  }

 private:
  std::multimap<i64, std::string> paths_;
};

}  // namespace rhea::hw
