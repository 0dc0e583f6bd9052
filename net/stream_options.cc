// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev stream: frames over a stream socket, which listens or connects.
#include "net/backend.h"
#include "net/net_address.h"
#include "net/stream_netdev.h"

namespace rhea::net {
namespace {

Result<std::unique_ptr<Netdev>> create_stream(Machine&, const std::string&, KeyValues& options) {
  const auto address = TRY(take_address(options, "addr"));
  const bool server = TRY(options.take_bool("server", false));
  if (!address) return fail("Parameter 'addr' is missing");
  // Before a port is taken for it.
  TRY(options.expect_empty("stream"));
  StreamNetdev::Plan plan{.kind = "stream"};
  if (server) {
    plan.listener = TRY(listen_at(*address));
    plan.what = "listening on " + local_text(plan.listener.get());
  } else {
    plan.connection = TRY(connect_with(*address));
    plan.what = address->text();
  }
  return StreamNetdev::make(std::move(plan));
}

const RegisterBackend stream{{.name = "stream", .create = &create_stream}};
const RegisterType<StreamNetdev, Netdev> registration;

}  // namespace
}  // namespace rhea::net
