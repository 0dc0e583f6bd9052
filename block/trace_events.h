// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the block layer.
#pragma once

#include "rhea/util/trace.h"
#include "rhea/util/types.h"

namespace rhea::block {

inline trace::Event<std::string, u64, u64> block_read{"block_read",
                                                      "drive {} offset {:#x} bytes {:#x}"};
inline trace::Event<std::string, u64, u64> block_write{"block_write",
                                                       "drive {} offset {:#x} bytes {:#x}"};
inline trace::Event<std::string, u64, u64> block_discard{"block_discard",
                                                         "drive {} offset {:#x} bytes {:#x}"};
inline trace::Event<std::string> block_flush{"block_flush", "drive {}"};
inline trace::Event<std::string, std::string> block_error{"block_error", "drive {}: {}"};

}  // namespace rhea::block
