// SPDX-License-Identifier: GPL-2.0-or-later
// What may lie between a socket's bytes and a front end's: telnet, WebSocket.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rhea::chardev {

/// The state of one connection. What the peer sends may be anything; memory is bounded. The caller
/// serialises the calls.
class StreamProtocol {
 public:
  virtual ~StreamProtocol() = default;
  /// Said to every new peer.
  virtual std::string greeting() { return {}; }
  /// Takes what came. Appends what it carries for the front end (never more than came) to
  /// `payload`, and what is to be answered to `reply`. After an error the connection ends; `reply`
  /// is sent before that.
  virtual Result<> receive(std::span<const u8> raw, std::vector<u8>& payload,
                           std::string& reply) = 0;
  /// Appends what carries `payload` to `raw`.
  virtual void send(std::span<const u8> payload, std::string& raw) = 0;
  /// False during a handshake: nothing may be sent yet, and no front end hears of the peer.
  virtual bool open() const { return true; }
  /// Whether the peer has sent a break since the last call.
  virtual bool take_break() { return false; }
};

std::unique_ptr<StreamProtocol> make_telnet();
/// The server's side of a WebSocket.
std::unique_ptr<StreamProtocol> make_websocket();

}  // namespace rhea::chardev
