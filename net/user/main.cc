// SPDX-License-Identifier: GPL-2.0-or-later
// rhea-net-user: the process of a user network. libslirp takes apart what guests send, and what it
// makes of that must not be Rhea's fate: here it has no files, no programs, no way to listen.
// Rhea starts it with three sockets (user/message.h); it ends when Rhea lets go of them.
#include "net/user/interpose.h"
#include "net/user/message.h"
#include "net/user/sandbox.h"
#include "net/user/session.h"

#include <fmt/core.h>
#include <glib.h>

#include <cstdio>

namespace {

using namespace rhea::net::user;

rhea::Result<> serve() {
  ask_at(kFiles);
  // What libslirp says of a guest's packets, the guest says.
  g_log_set_default_handler([](const char*, GLogLevelFlags, const char*, void*) {}, nullptr);
  auto first = TRY(rhea::receive_message(kControl, -1));
  if (!first || !first->body.contains("configure")) return rhea::fail("no configuration came");
  const auto session = TRY(Session::create(first->body["configure"]));
  TRY(enter_sandbox());
  return session->run(kFrames, kControl);
}

}  // namespace

int main(int argc, char**) {
  if (argc != 1) {
    fmt::print("rhea-net-user: Rhea starts this for -netdev user; it is no command\n");
    return 1;
  }
  if (auto served = serve(); !served) {
    fmt::print(stderr, "rhea-net-user: {}\n", served.error().message());
    return 1;
  }
  return 0;
}
