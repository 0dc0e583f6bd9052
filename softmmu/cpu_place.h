// SPDX-License-Identifier: GPL-2.0-or-later
// Where a processor lies in its machine.
#pragma once

#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea {

/// Numbers within the level above.
struct CpuPlace {
  unsigned socket{}, die{}, core{}, thread{};
};

/// Processors are numbered thread first, socket last.
inline CpuPlace place_of(const MachineConfig& config, unsigned index) {
  const unsigned threads = std::max(config.threads, 1U), cores = std::max(config.cores, 1U),
                 dies = std::max(config.dies, 1U);
  return {.socket = index / (threads * cores * dies),
          .die = index / (threads * cores) % dies,
          .core = index / threads % cores,
          .thread = index % threads};
}

}  // namespace rhea
