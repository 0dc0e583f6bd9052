// SPDX-License-Identifier: GPL-2.0-or-later
// Ports of the host that lead to the guest of a user network (hostfwd=, hostfwd_add).
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"
#include "util/json.h"

#include <netinet/in.h>

#include <string>
#include <string_view>

namespace rhea::net {

/// "10.0.2.15".
std::string text_of(in_addr address);

struct HostForward {
  bool udp{false};
  in_addr host{};   ///< where the host listens; 0.0.0.0: everywhere
  u16 port{0};      ///< 0: any free one
  in_addr guest{};  ///< 0.0.0.0: the first that DHCP gives
  u16 guest_port{0};
  FileDescriptor socket{};  ///< bound, and listens

  /// "[tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport"; no socket yet.
  static Result<HostForward> parse(std::string_view rule);
  /// "[tcp|udp]:[hostaddr]:hostport", as hostfwd_remove names one.
  static Result<HostForward> parse_host_side(std::string_view rule);
  /// Takes the port; `port` is the real one then. Never waits.
  Result<> open();
  bool same_host_side(const HostForward& other) const;
  /// The same without its socket.
  HostForward rule() const;
  /// "tcp:0.0.0.0:2222-10.0.2.15:22".
  std::string text() const;
  /// As the user network's process is told.
  Json message() const;
};

}  // namespace rhea::net
