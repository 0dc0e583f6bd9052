// SPDX-License-Identifier: GPL-2.0-or-later
// What -chardev socket takes.
#pragma once

#include "chardev/stream_protocol.h"
#include "util/socket_address.h"

#include <string_view>

namespace rhea::chardev {

struct SocketOptions {
  enum class Protocol : u8 { None, Telnet, WebSocket };

  SocketAddress address;
  Protocol protocol{Protocol::None};
  bool server{false};
  bool wait{false};
  bool delay{true};
  u64 reconnect_seconds{0};

  static Result<SocketOptions> take(KeyValues& options);
  /// Null for a socket without one.
  std::unique_ptr<StreamProtocol> make_protocol() const;
  /// The address, its kind named after the protocol: "telnet:localhost:23".
  std::string named(std::string text) const;
};

}  // namespace rhea::chardev
