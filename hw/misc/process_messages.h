// SPDX-License-Identifier: GPL-2.0-or-later
// What the processes behind devices say: numbers within bounds, bytes in hexadecimal, and who they
// are.
#pragma once

#include "rhea/hw/pci.h"
#include "rhea/util/error.h"
#include "util/json.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::hw {

/// Values in values in values, which cost the parser more than they are long.
bool is_deep(std::string_view text);
/// A whole number of at most `most` under `key`; nullopt for all else.
std::optional<u64> number_in(const Json& message, std::string_view key, u64 most = ~u64{0});
std::optional<std::string> text_in(const Json& message, std::string_view key);
std::string to_hex(std::span<const u8> data);
/// Nullopt unless `text` is pairs of hexadecimal digits.
std::optional<std::vector<u8>> from_hex(std::string_view text);

/// The answer to "describe".
struct ProcessIdentity {
  struct Bar {
    u64 size{};  ///< 0: there is none
    bool io{false};
  };
  PciIdentity pci;
  std::array<Bar, 6> bars{};
  bool interrupt{false};
  unsigned messages{0};
};
Result<ProcessIdentity> parse_identity(const Json& answer);

}  // namespace rhea::hw
