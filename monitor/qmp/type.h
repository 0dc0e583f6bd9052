// SPDX-License-Identifier: GPL-2.0-or-later
// The types of QMP arguments and results: what arguments are checked against and what
// query-qmp-schema tells.
#pragma once

#include "monitor/qmp/json_text.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhea::qmp {

/// A member of an object: a command's argument, or part of one. `type` is a built-in ("str",
/// "bool", "number", "any", "null", "size", "int", "int32", "uint8", …), a registered type's name,
/// or either in brackets: a list.
struct Member {
  std::string_view name;
  std::string_view type;
  bool optional{false};
};

/// An enumeration (values), or an object (members), whose `tag` member may choose further members
/// by variant.
struct Type {
  std::string_view name;
  std::vector<std::string_view> values{};
  std::vector<Member> members{};
  std::string_view tag{};
  std::vector<std::pair<std::string_view, std::string_view>>
      variants{};  ///< tag's value, object type

  bool is_enum() const { return !values.empty(); }
};

class RegisterQmpType {
 public:
  explicit RegisterQmpType(Type type);
  RegisterQmpType(const RegisterQmpType&) = delete;
  RegisterQmpType& operator=(const RegisterQmpType&) = delete;

 private:
  Type type_;
};

const Type* find_qmp_type(std::string_view name);

/// Checks the members of an object; `path` leads its names in errors ("keys[0]."). `open`: others
/// may be there.
Result<> check_members(const std::vector<Member>& members, const Json& object,
                       const std::string& path, bool open = false);

/// The schema's word for a built-in's JSON type ("string", "int"), or "" when it is no built-in.
std::string_view builtin_json_type(std::string_view name);

}  // namespace rhea::qmp
