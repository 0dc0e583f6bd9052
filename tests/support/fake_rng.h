// SPDX-License-Identifier: GPL-2.0-or-later
// Random numbers that are not: 1, 2, 3 and on.
#pragma once

#include "crypto/rng.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea::test {

class FakeRng final : public RngBackend {
 public:
  static constexpr std::string_view kName = "test-rng";
  static void describe(Schema<FakeRng>&) {}
  static FakeRng& make(Machine& machine, std::string id) {
    Object& place = machine.container(UserObject::kLinkRoot);
    return place.add_child(std::move(id), create<FakeRng>());
  }
  std::size_t take(std::span<u8> to) override {
    const std::size_t count = std::min(to.size(), there);
    for (u8& byte : to.first(count)) byte = ++last;
    there -= count;
    return count;
  }
  /// So many bytes more, and users hear of it, as on a thread.
  void bring(std::size_t bytes) {
    there += bytes;
    for (const auto& user : users()) user->gate->enter(user->more);
  }
  std::size_t there{std::size_t{1} << 30};
  u8 last{0};
};

}  // namespace rhea::test
