// SPDX-License-Identifier: GPL-2.0-or-later
// How an IDE device moves data by DMA: the bus master of its channel as the device sees it.
#pragma once

#include "rhea/util/types.h"

#include <span>

namespace rhea::hw {

class IdeDma {
 public:
  enum class Outcome : u8 {
    Done,     ///< all of it
    Waiting,  ///< the host has not started the bus master (or stopped it)
    Stopped,  ///< the descriptors ran out, or memory could not be reached: the host must notice by
              ///< itself
  };
  struct Move {
    Outcome outcome;
    std::size_t bytes;  ///< moved before it stopped
  };

  virtual ~IdeDma() = default;
  virtual Move to_memory(std::span<const u8> data) = 0;
  virtual Move from_memory(std::span<u8> data) = 0;
  /// The channel's INTRQ rose.
  virtual void interrupt() = 0;
};

}  // namespace rhea::hw
