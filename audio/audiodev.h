// SPDX-License-Identifier: GPL-2.0-or-later
// The host's sound, as -audiodev names it.
#pragma once

#include "rhea/softmmu/machine.h"

#include <string>
#include <vector>

namespace rhea::audio {

/// machine.service<AudioBackends>(). The only kind is "none": nothing sounds, and nothing takes
/// time.
class AudioBackends final : public MachineService {
 public:
  explicit AudioBackends(Machine&) {}

  /// From -audiodev's text. Errors name the parameter.
  Result<> add(const std::string& text);
  const std::vector<std::string>& ids() const { return ids_; }

 private:
  std::vector<std::string> ids_;
};

}  // namespace rhea::audio
