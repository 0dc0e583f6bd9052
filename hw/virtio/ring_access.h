// SPDX-License-Identifier: GPL-2.0-or-later
// Single numbers of rings in guest memory. Of a register's size and aligned, each moves as one.
#pragma once

#include "hw/virtio/virtqueue.h"

#include <atomic>

namespace rhea::hw {

bool VirtQueue::fetch(u64 address, auto& value) {
  return host_->memory().read_value(address, value) == MemResult::Ok ||
         fail("a ring or table where no memory is");
}

bool VirtQueue::store(u64 address, auto value) {
  return host_->memory().write_value(address, value) == MemResult::Ok ||
         fail("a ring where no memory is");
}

namespace ring {

/// What the driver wrote before the number just read is seen from here on.
inline void after_read() { std::atomic_thread_fence(std::memory_order_acquire); }
/// What was written by now is seen before what is written from here on.
inline void before_write() { std::atomic_thread_fence(std::memory_order_release); }
/// What was written by now is seen by whoever writes what is read from here on.
inline void between_write_and_read() { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace ring
}  // namespace rhea::hw
