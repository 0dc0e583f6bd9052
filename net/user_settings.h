// SPDX-License-Identifier: GPL-2.0-or-later
// What -netdev user says, checked.
#pragma once

#include "net/guest_forward.h"
#include "net/host_forward.h"
#include "rhea/util/keyval.h"
#include "util/host_folder.h"
#include "util/json.h"

#include <netinet/in.h>

#include <optional>
#include <string>
#include <vector>

namespace rhea::net {

struct UserSettings {
  Json configuration;  ///< for the network's process
  in_addr net{}, mask{}, host{}, dns{}, dhcp_start{};
  bool restricted{false};
  std::optional<HostFolder> tftp;
  std::vector<HostForward> host_forwards;  ///< without sockets
  std::vector<GuestForward> guest_forwards;

  /// Takes its keys out of the options.
  static Result<UserSettings> take(KeyValues& options);
};

}  // namespace rhea::net
