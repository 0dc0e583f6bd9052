// SPDX-License-Identifier: GPL-2.0-or-later
// What -vnc says.
#pragma once

#include "util/socket_address.h"

#include <optional>
#include <string>

namespace rhea::ui::vnc {

struct Options {
  enum class Share : u8 { AllowExclusive, ForceShared, Ignore };

  std::string id{"default"};
  SocketAddress address;
  std::optional<SocketAddress> websocket;
  bool password{false};
  std::string password_secret;  ///< the id of a secret
  Share share{Share::AllowExclusive};
  bool lossy{false};

  /// "DISPLAY[,option…]" as -vnc and -display vnc= take it; nullopt for "none".
  static Result<std::optional<Options>> parse(std::string_view text);
};

}  // namespace rhea::ui::vnc
