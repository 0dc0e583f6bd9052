// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/config_file.h"

#include "rhea/util/known_names.h"

#include <algorithm>
#include <array>
#include <optional>

namespace rhea::cli {
namespace {

/// A group and its option; most have the same name.
struct Group {
  std::string_view name, option;
};
constexpr std::array kGroups = {
    Group{.name = "accel", .option = "accel"},
    Group{.name = "acpi", .option = "acpitable"},
    Group{.name = "action", .option = "action"},
    Group{.name = "add-fd", .option = "add-fd"},
    Group{.name = "boot-opts", .option = "boot"},
    Group{.name = "chardev", .option = "chardev"},
    Group{.name = "device", .option = "device"},
    Group{.name = "drive", .option = "drive"},
    Group{.name = "fsdev", .option = "fsdev"},
    Group{.name = "fw_cfg", .option = "fw_cfg"},
    Group{.name = "global", .option = "global"},
    Group{.name = "icount", .option = "icount"},
    Group{.name = "iscsi", .option = "iscsi"},
    Group{.name = "machine", .option = "machine"},
    Group{.name = "memory", .option = "m"},
    Group{.name = "mon", .option = "mon"},
    Group{.name = "msg", .option = "msg"},
    Group{.name = "name", .option = "name"},
    Group{.name = "net", .option = "net"},
    Group{.name = "netdev", .option = "netdev"},
    Group{.name = "nic", .option = "nic"},
    Group{.name = "numa", .option = "numa"},
    Group{.name = "object", .option = "object"},
    Group{.name = "overcommit", .option = "overcommit"},
    Group{.name = "option-rom", .option = "option-rom"},
    Group{.name = "plugin", .option = "plugin"},
    Group{.name = "rtc", .option = "rtc"},
    Group{.name = "sandbox", .option = "sandbox"},
    Group{.name = "smbios", .option = "smbios"},
    Group{.name = "smp-opts", .option = "smp"},
    Group{.name = "spice", .option = "spice"},
    Group{.name = "tpmdev", .option = "tpmdev"},
    Group{.name = "trace", .option = "trace"},
    Group{.name = "virtfs", .option = "virtfs"},
    Group{.name = "vnc", .option = "vnc"},
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) text.append(c == ',' ? 2 : 1, c);
  return text;
}

/// `name` or `name "id"` in brackets.
struct Heading {
  std::string_view name, id;
};
std::optional<Heading> parse_heading(std::string_view line) {
  if (!line.starts_with('[') || !line.ends_with(']')) return std::nullopt;
  line = trimmed(line.substr(1, line.size() - 2));
  const auto quote = line.find('"');
  if (quote == std::string_view::npos) return Heading{.name = line, .id = {}};
  if (line.size() < quote + 3 || !line.ends_with('"')) return std::nullopt;
  return Heading{.name = trimmed(line.substr(0, quote)),
                 .id = line.substr(quote + 1, line.size() - quote - 2)};
}

/// `key = "value"`.
struct Entry {
  std::string_view key, value;
};
std::optional<Entry> parse_entry(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view key = trimmed(line.substr(0, equals));
  const std::string_view value = trimmed(line.substr(equals + 1));
  if (key.empty() || value.size() < 2 || !value.starts_with('"') || !value.ends_with('"'))
    return std::nullopt;
  return Entry{.key = key, .value = value.substr(1, value.size() - 2)};
}

Result<ConfigOption> begin_group(const Heading& heading, unsigned line) {
  const auto* group = std::ranges::find(kGroups, heading.name, &Group::name);
  if (group == kGroups.end()) {
    std::vector<std::string_view> names;
    for (const Group& g : kGroups) names.push_back(g.name);
    return fail("{}",
                with_remark(fmt::format("line {}: there is no group '{}'", line, heading.name),
                            nearest_hint(heading.name, names)));
  }
  ConfigOption option{.name = std::string(group->option), .argument = {}, .line = line};
  if (!heading.id.empty()) option.argument = fmt::format("id={}", escaped(heading.id));
  return option;
}

// -global's other form is the one that has a property's name as a value.
void add_entry(ConfigOption& option, const Entry& entry) {
  if (!option.argument.empty()) option.argument += ',';
  option.argument += fmt::format("{}={}", entry.key, escaped(entry.value));
}

}  // namespace

Result<std::vector<ConfigOption>> parse_config(std::string_view text) {
  std::vector<ConfigOption> options;
  unsigned number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      const auto heading = parse_heading(line);
      if (!heading) return fail("line {}: a group is written [name] or [name \"id\"]", number);
      options.push_back(TRY(begin_group(*heading, number)));
    } else if (const auto entry = parse_entry(line); !entry) {
      return fail("line {}: a setting is written key = \"value\"", number);
    } else if (options.empty()) {
      return fail("line {}: no group is open", number);
    } else {
      add_entry(options.back(), *entry);
    }
  }
  return options;
}

}  // namespace rhea::cli
