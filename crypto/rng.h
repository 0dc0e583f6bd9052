// SPDX-License-Identifier: GPL-2.0-or-later
// Where devices get random numbers from: -object rng-builtin, rng-random.
#pragma once

#include "rhea/qom/user_object.h"
#include "rhea/softmmu/domain_entry.h"
#include "rhea/util/types.h"

#include <memory>
#include <span>
#include <vector>

namespace rhea {

/// Base of the sources. Bytes are taken in the domain of a device that uses it, by whatever thread.
class RngBackend : public UserObject {
 public:
  static constexpr std::string_view kName = "rng-backend";
  using Extendable = RngBackend;

  /// Fills as much of `to` as there are random bytes now, and says how much. Where that is not all,
  /// every user hears when there are more. Never waits.
  virtual std::size_t take(std::span<u8> to) = 0;

  /// Somebody who hears of more: `more` is called through the gate, by any thread.
  struct User {
    std::shared_ptr<DomainEntry::Gate> gate;
    std::function<void()> more;
  };
  // Main thread, machine's lock.
  virtual void add_user(const std::shared_ptr<User>& user) { users_.push_back(user); }
  virtual void remove_user(const std::shared_ptr<User>& user) { std::erase(users_, user); }
  bool can_be_deleted() const override { return users_.empty(); }

 protected:
  const std::vector<std::shared_ptr<User>>& users() const { return users_; }

 private:
  std::vector<std::shared_ptr<User>> users_;
};

}  // namespace rhea
