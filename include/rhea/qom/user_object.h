// SPDX-License-Identifier: GPL-2.0-or-later
// Objects that users make by -object and object-add: neither devices nor back ends of their own
// options (secrets, memory). They live under /objects, by their ids; a property that refers to one
// is a link whose class derives from this one.
#pragma once

#include "rhea/qom/object.h"

namespace rhea {

class UserObject : public Object {
 public:
  static constexpr std::string_view kName = "user-creatable";
  static constexpr std::string_view kLinkRoot = "/objects";
  using Extendable = UserObject;

  /// Checks the properties and makes what they ask for; called once, in the machine's tree. From
  /// then on only properties that say so can be changed.
  Result<> finish() {
    TRY(complete());
    complete_ = true;
    return {};
  }
  bool is_realized() const override { return complete_; }
  /// Whether object-del may take it away: nothing uses it.
  virtual bool can_be_deleted() const { return true; }

 protected:
  virtual Result<> complete() { return {}; }

 private:
  bool complete_{false};
};

}  // namespace rhea
