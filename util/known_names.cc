// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/known_names.h"

#include "util/qemu_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace rhea {
namespace {

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const auto blank = text.find(' ');
    if (blank != 0) found.push_back(text.substr(0, blank));
    text = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
  }
  return found;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// A row's name may be the beginning of many: "usb-*".
bool means(const Instead& row, std::string_view name) {
  if (!row.name.ends_with('*')) return row.name == name;
  return name.starts_with(row.name.substr(0, row.name.size() - 1));
}

// "e1000-82544gc" of "e1000".
bool is_variant(std::string_view device, std::string_view of) {
  return device == of || (device.starts_with(of) && device[of.size()] == '-');
}

const Instead* find_instead(NameKind kind, std::string_view name) {
  for (const Instead& row : instead_table())
    if (row.kind == kind && means(row, name)) return &row;
  return nullptr;
}

char folded(char c) {
  return c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// Letters added, left out, changed, or two of them swapped (Damerau and Levenshtein, each place
// changed at most once). Case and "_" for "-" count for nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = folded(a[i - 1]), y = folded(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (x == y ? 0 : 1)});
      if (i > 1 && j > 1 && x == folded(b[j - 2]) && folded(a[i - 2]) == y)
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string absent_text(std::string_view advice) {
  std::string text = "QEMU has this; Rhea has not yet";
  if (!advice.empty()) text += fmt::format(": {}", advice);
  return text;
}

}  // namespace

std::vector<std::string_view> qemu_names(NameKind kind) { return words(qemu_name_list(kind)); }

std::optional<std::string_view> nearest_name(std::string_view name,
                                             const std::vector<std::string_view>& names) {
  // Whoever types more than a command's name by mistake is not spelling anything.
  constexpr std::size_t kLongest = 64;
  if (name.empty() || name.size() > kLongest) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t least = name.size() < 6 ? 2 : name.size() < 10 ? 3 : 4;
  for (const std::string_view candidate : names) {
    // Who leaves the rest of a name away means it.
    const bool begun = name.size() >= 3 && candidate.starts_with(name);
    const std::size_t d = begun ? 1 : distance(name, candidate);
    if (d == 0 && candidate == name) continue;
    if (d >= least || d >= candidate.size()) continue;
    least = d;
    best = candidate;
  }
  return best;
}

std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& names) {
  const auto nearest = nearest_name(name, names);
  return nearest ? fmt::format("did you mean '{}'?", *nearest) : "";
}

std::string about_unknown(NameKind kind, std::string_view name,
                          const std::vector<std::string_view>& own) {
  const auto all = qemu_names(kind);
  const bool known = contains(all, name);
  const Instead* row = find_instead(kind, name);
  if (row != nullptr && row->why == Why::Dropped)
    return fmt::format("QEMU 7.2 has this no longer: {}", row->advice);
  if (row != nullptr && row->why == Why::OtherTarget) return "Option not supported for this target";
  if (row != nullptr && (known || !row->name.ends_with('*'))) return absent_text(row->advice);
  if (known) return absent_text({});
  // What Rhea has comes first: the other names only lead on.
  std::string hint = nearest_hint(name, own);
  return hint.empty() ? nearest_hint(name, all) : hint;
}

std::string about_unknown_parameter(std::string_view option, std::string_view parameter,
                                    const std::vector<std::string_view>& own) {
  const std::string whole = fmt::format("{} {}", option, parameter);
  if (const Instead* row = find_instead(NameKind::Parameter, whole))
    return absent_text(row->advice);
  return nearest_hint(parameter, own);
}

std::string about_unknown_property(std::string_view device, std::string_view property,
                                   const std::vector<std::string_view>& own) {
  for (const PropertyNames& row : qemu_properties())
    if (is_variant(device, row.device) && contains(words(row.properties), property))
      return absent_text("leave it out");
  return nearest_hint(property, own);
}

std::string with_remark(std::string text, const std::string& remark) {
  if (remark.empty()) return text;
  return std::move(text) + "; " + remark;
}

}  // namespace rhea
