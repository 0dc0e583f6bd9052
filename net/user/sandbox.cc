// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user/sandbox.h"

#include "util/syscall_filter.h"

#include <sys/socket.h>

namespace rhea::net::user {

Result<> enter_sandbox() {
  // What a guest's connections may take here; when it is used up, this process alone dies. A
  // connection has buffers of 256 KiB: as many as fit, so that one more is refused to the guest and
  // does not end all.
  limit_process(u64{512} << 20, 1536);
  SyscallFilter filter;
  filter.allow({"accept", "accept4", "dup3", "getpeername", "getsockname", "recvmmsg", "sendmmsg",
                "time", "connect"});
  for (const u64 family : {AF_INET, AF_INET6})
    for (const u64 type : {SOCK_STREAM, SOCK_DGRAM})
      filter.allow_if("socket",
                      {SCMP_A0(SCMP_CMP_EQ, family), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, type)});
  return filter.enter();
}

}  // namespace rhea::net::user
