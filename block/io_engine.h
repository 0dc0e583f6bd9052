// SPDX-License-Identifier: GPL-2.0-or-later
// aio=: how bytes get to and from a host file.
#pragma once

#include "rhea/block/block_node.h"

#include <sys/types.h>

#include <memory>
#include <span>

namespace rhea::block {

/// One request at a time, waited for: a drive's thread has nothing else to do. Results as pread's
/// and pwrite's, with the error number negated.
class IoEngine {
 public:
  IoEngine() = default;
  virtual ~IoEngine() = default;
  IoEngine(const IoEngine&) = delete;
  IoEngine& operator=(const IoEngine&) = delete;

  virtual ssize_t read(int fd, std::span<u8> data, u64 offset) = 0;
  virtual ssize_t write(int fd, std::span<const u8> data, u64 offset) = 0;
};

/// Fails where the host's kernel does not offer it.
Result<std::unique_ptr<IoEngine>> make_io_engine(AioMode mode);

}  // namespace rhea::block
