// SPDX-License-Identifier: GPL-2.0-or-later
// The HTTP request that begins a WebSocket (RFC 6455, section 4), and its answer.
#pragma once

#include <string>
#include <string_view>

namespace rhea::chardev {

struct HandshakeAnswer {
  std::string text;  ///< a whole HTTP answer
  bool accepted;
};

/// `request` is all up to and with the empty line.
HandshakeAnswer answer_handshake(std::string_view request);

}  // namespace rhea::chardev
