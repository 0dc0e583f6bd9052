// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor/qmp/compat.h"

#include "rhea/util/keyval.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace rhea {

template <>
struct EnumTraits<qmp::InputPolicy> {
  static constexpr std::string_view kType = "CompatPolicyInput";
  static constexpr std::array<std::string_view, 3> kNames = {"accept", "reject", "crash"};
};
template <>
struct EnumTraits<qmp::OutputPolicy> {
  static constexpr std::string_view kType = "CompatPolicyOutput";
  static constexpr std::array<std::string_view, 2> kNames = {"accept", "hide"};
};

namespace qmp {
namespace {

/// What QEMU 7.2 calls deprecated of the commands that Rhea has.
struct DeprecatedArgument {
  std::string_view command, argument;
};
constexpr std::array kDeprecated = {
    DeprecatedArgument{.command = "eject", .argument = "device"},
    DeprecatedArgument{.command = "blockdev-open-tray", .argument = "device"},
    DeprecatedArgument{.command = "blockdev-close-tray", .argument = "device"},
    DeprecatedArgument{.command = "blockdev-change-medium", .argument = "device"},
};

template <class Policy>
Result<> take_policy(KeyValues& options, std::string_view key, Policy& policy) {
  const auto text = options.take(key);
  if (!text) return {};
  const auto& names = EnumTraits<Policy>::kNames;
  auto chosen = parse_enum(*text, names.data(), names.size());
  if (!chosen) return std::unexpected(std::move(chosen).error().within(key));
  policy = static_cast<Policy>(*chosen);
  return {};
}

// The two for output are kept and hide nothing: no result and no event has a member that QEMU 7.2
// calls deprecated or unstable.
Result<> compat_option(Machine& machine, const std::string& text) {
  auto& policy = machine.service<CompatPolicy>();
  KeyValues options = TRY(KeyValues::parse(text));
  TRY(take_policy(options, "deprecated-input", policy.deprecated_input));
  TRY(take_policy(options, "deprecated-output", policy.deprecated_output));
  TRY(take_policy(options, "unstable-input", policy.unstable_input));
  TRY(take_policy(options, "unstable-output", policy.unstable_output));
  return options.expect_empty("-compat");
}

const RegisterOption option{{.name = "compat",
                             .argument = "[deprecated-input=accept|reject|crash]"
                                         "[,deprecated-output=accept|hide]\n"
                                         "        [,unstable-input=accept|reject|crash]"
                                         "[,unstable-output=accept|hide]",
                             .help = "whether QMP takes, and shows, what is deprecated or unstable",
                             .phase = StartPhase::Config,
                             .apply = &compat_option}};

Result<> apply(InputPolicy policy, std::string_view adjective, std::string_view kind,
               std::string_view name) {
  if (policy == InputPolicy::Accept) return {};
  const std::string text = fmt::format("{} {} {} disabled by policy", adjective, kind, name);
  if (policy == InputPolicy::Crash) {
    report_error(text);
    std::abort();
  }
  return fail(kind == "command" ? ErrorClass::CommandNotFound : ErrorClass::Generic, "{}", text);
}

bool has_feature(const Command& command, std::string_view feature) {
  return std::ranges::find(command.features, feature) != command.features.end();
}

}  // namespace

Result<> check_policy(const CompatPolicy& policy, const Command& command, const Json& arguments) {
  if (has_feature(command, "deprecated"))
    TRY(apply(policy.deprecated_input, "Deprecated", "command", command.name));
  if (command.name.starts_with("x-") || has_feature(command, "unstable"))
    TRY(apply(policy.unstable_input, "Unstable", "command", command.name));
  for (const DeprecatedArgument& one : kDeprecated)
    if (one.command == command.name && arguments.contains(one.argument))
      TRY(apply(policy.deprecated_input, "Deprecated", "parameter", one.argument));
  return {};
}

}  // namespace qmp
}  // namespace rhea
