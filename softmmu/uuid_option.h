// SPDX-License-Identifier: GPL-2.0-or-later
// -uuid: the machine's identity.
#pragma once

#include "rhea/softmmu/machine.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rhea {

/// Main thread; set before the board is built.
struct MachineUuid final : MachineService {
  explicit MachineUuid(Machine&) {}

  using Bytes = std::array<u8, 16>;  ///< in the order they are written in
  std::optional<Bytes> given;

  /// "550e8400-e29b-41d4-a716-446655440000", upper or lower case; nullopt for anything else.
  static std::optional<Bytes> parse(std::string_view text);
  /// As above, in lower case.
  static std::string text(const Bytes& bytes);
  /// All zeroes when none was given.
  std::string text() const { return text(given.value_or(Bytes{})); }
};

}  // namespace rhea
