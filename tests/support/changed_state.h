// SPDX-License-Identifier: GPL-2.0-or-later
// The saved state of an object with one other value in it, and a right checksum: what a snapshot
// from anywhere may hold.
#pragma once

#include "rhea/softmmu/snapshot.h"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::test {

/// `names`: of a field, behind those of the structs that it is in; of several of that name it is
/// the first. `value` takes the place of its first bytes, eight at most.
inline std::vector<u8> changed_state(Object& object, const std::vector<std::string_view>& names,
                                     u64 value) {
  StateWriter out;
  save_object(object, out);
  std::vector<u8> state = out.take();
  auto at = state.begin();
  for (const std::string_view name : names) {
    std::string wanted{static_cast<char>(name.size()), '\0'};
    wanted += name;
    at = std::search(at, state.end(), wanted.begin(), wanted.end());
    if (at == state.end()) throw std::runtime_error("no field " + std::string(name));
    at += static_cast<std::ptrdiff_t>(wanted.size());
  }
  const u32 length = at[0] | at[1] << 8;
  for (u32 n = 0; n < std::min(length, 8U); ++n) at[4 + n] = static_cast<u8>(value >> (8 * n));
  constexpr std::size_t kSum = 4;
  const std::size_t end = state.size() - kSum;
  const auto sum = static_cast<u32>(crc32_z(0, state.data(), end));
  for (unsigned n = 0; n < kSum; ++n) state[end + n] = static_cast<u8>(sum >> (8 * n));
  return state;
}

/// What the object says of such a state: "taken" or why not.
inline std::string load_changed(Object& object, const std::vector<std::string_view>& names,
                                u64 value) {
  const std::vector<u8> state = changed_state(object, names, value);
  StateReader in(state);
  const auto loaded = load_object(object, in);
  return loaded ? "taken" : loaded.error().message();
}

}  // namespace rhea::test
