// SPDX-License-Identifier: GPL-2.0-or-later
// How an IDE device moves data by DMA: the bus master of its channel as the device sees it.
#pragma once

#include "rhea/util/types.h"

#include <span>

namespace rhea::hw {

class IdeDma {
 public:
  /// What was moved. When that is not all, the bus master is not started, or it came to the end of
  /// its descriptors or of memory: the device goes on asking for DMA until the host starts the bus
  /// master anew, or resets the device.
  struct Move {
    bool complete;
    std::size_t bytes;
  };

  virtual ~IdeDma() = default;
  virtual Move to_memory(std::span<const u8> data) = 0;
  virtual Move from_memory(std::span<u8> data) = 0;
  /// The channel's INTRQ rose.
  virtual void interrupt() = 0;
};

}  // namespace rhea::hw
