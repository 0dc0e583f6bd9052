// SPDX-License-Identifier: GPL-2.0-or-later
// What a user has set for a migration: QEMU 7.2's parameters and capabilities, their ranges and
// what excludes what. Nothing migrates yet; who sets them is told what is wrong with them.
#pragma once

#include "monitor/qmp/type.h"
#include "rhea/softmmu/machine.h"

#include <span>
#include <string_view>
#include <vector>

namespace rhea::qmp {

/// One parameter, in the order in which people are shown them.
struct MigrationParameter {
  std::string_view name;
  std::string_view type;     ///< as Member::type
  std::string_view initial;  ///< as JSON
  u64 min{0};
  u64 max{~u64{0}};
  std::string_view expects{};  ///< what an error says of the range
  std::string_view unit{};     ///< behind the number, for people
  bool shown{true};            ///< to people
};

std::span<const MigrationParameter> migration_parameters();
/// As members of an object, all optional.
std::vector<Member> migration_parameter_members();
std::span<const std::string_view> migration_capabilities();

/// machine.service<MigrationSettings>(). Main thread, under the machine's lock.
class MigrationSettings final : public MachineService {
 public:
  explicit MigrationSettings(Machine& machine);

  const Json& parameters() const { return parameters_; }
  /// All of `wanted`, of the members' types, or nothing.
  Result<> set_parameters(const Json& wanted);
  /// Names and booleans.
  const Json& capabilities() const { return capabilities_; }
  /// A list of {"capability": NAME, "state": BOOL}: all or nothing.
  Result<> set_capabilities(const Json& wanted);

 private:
  Result<> check_capabilities(const Json& wanted) const;

  Json parameters_ = Json::object();
  Json capabilities_ = Json::object();
};

}  // namespace rhea::qmp
