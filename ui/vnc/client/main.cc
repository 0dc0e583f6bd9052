// SPDX-License-Identifier: GPL-2.0-or-later
// rhea-vnc-client: the process of one VNC client. What a stranger on the network sends is taken
// apart here, by libvncserver, where it can reach nothing but its own socket and a picture of the
// screen. Rhea starts it with two sockets (ui/vnc/messages.h); it ends with either.
#include "ui/vnc/client/session.h"
#include "util/syscall_filter.h"

#include <fmt/core.h>

#include <csignal>
#include <cstdio>

namespace {

using namespace rhea::ui::vnc;

rhea::Result<> serve() {
  auto first = TRY(rhea::receive_message(kControl, -1));
  if (!first) return rhea::fail("no configuration came");
  const auto session = TRY(Session::create(*first));
  // Pictures are not counted.
  constexpr rhea::u64 kMemory = rhea::u64{256} << 20, kDescriptors = 32;
  rhea::limit_process(kMemory, kDescriptors);
  rhea::SyscallFilter filter;
  filter.allow({"getpeername", "getsockname", "select", "pselect6", "_newselect"});
  TRY(filter.enter());
  return session->run();
}

}  // namespace

int main(int argc, char**) {
  if (argc != 1) {
    fmt::print("rhea-vnc-client: Rhea starts this for each client of -vnc; it is no command\n");
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  if (auto served = serve(); !served) {
    fmt::print(stderr, "rhea-vnc-client: {}\n", served.error().message());
    return 1;
  }
  return 0;
}
