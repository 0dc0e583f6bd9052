// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/event_fd.h"

#include <sys/uio.h>

namespace rhea {

std::optional<u64> take_events(int fd) {
  u64 count = 0;
  const iovec place{.iov_base = &count, .iov_len = sizeof count};
  if (::preadv2(fd, &place, 1, -1, RWF_NOWAIT) != sizeof count) return {};
  return count;
}

}  // namespace rhea
