// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/log_filter.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace rhea {
namespace {

struct Range {
  u64 first, last;
};
std::vector<Range> filter;

std::optional<u64> number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  u64 value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Range> parse_range(std::string_view text) {
  const auto mark = text.find_first_of(".+-");
  if (mark == std::string_view::npos) return std::nullopt;
  const bool dots = text[mark] == '.';
  if (dots && text.substr(mark, 2) != "..") return std::nullopt;
  const auto a = number(text.substr(0, mark)), b = number(text.substr(mark + (dots ? 2 : 1)));
  if (!a || !b) return std::nullopt;
  if (dots) return *a <= *b ? std::optional(Range{*a, *b}) : std::nullopt;
  if (*b == 0) return std::nullopt;
  if (text[mark] == '+')
    return *b - 1 <= ~u64{0} - *a ? std::optional(Range{*a, *a + *b - 1}) : std::nullopt;
  return *b - 1 <= *a ? std::optional(Range{*a - (*b - 1), *a}) : std::nullopt;
}

}  // namespace

Result<> set_log_filter(std::string_view ranges) {
  std::vector<Range> wanted;
  for (bool more = true; more;) {
    const auto comma = ranges.find(',');
    const std::string_view text = ranges.substr(0, comma);
    const auto range = parse_range(text);
    if (!range)
      return fail("'{}' is no range of addresses: first..last, start+length, or end-length", text);
    wanted.push_back(*range);
    more = comma != std::string_view::npos;
    if (more) ranges.remove_prefix(comma + 1);
  }
  filter = std::move(wanted);
  return {};
}

bool log_filter_takes(u64 address) {
  return filter.empty() || std::ranges::any_of(filter, [&](const Range& range) {
           return address >= range.first && address <= range.last;
         });
}

}  // namespace rhea
