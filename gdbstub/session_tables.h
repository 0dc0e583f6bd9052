// SPDX-License-Identifier: GPL-2.0-or-later
// The rows of a session's tables.
#pragma once

#include "gdbstub/session.h"

#include <array>
#include <string_view>

namespace rhea::gdbstub {

/// A packet that begins with `name`.
struct Session::Command {
  std::string_view name;
  void (Session::*run)(Request);
};

/// The same behind 'q' or 'Q'.
struct Session::Query {
  char letter;
  std::string_view name;
  void (Session::*run)(Request);
};

}  // namespace rhea::gdbstub
