// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/value.h"

#include "rhea/util/known_names.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace rhea {
namespace {

struct Number {
  bool negative{};
  u64 magnitude{};
};

std::optional<Number> parse_number(std::string_view text) {
  Number number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number.magnitude, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<Number> number_of(const Value& value) {
  if (const auto* s = std::get_if<std::string>(&value)) {
    const auto number = parse_number(*s);
    if (!number) return fail("'{}' is not a number", *s);
    return *number;
  }
  if (const auto* u = std::get_if<u64>(&value)) return Number{.negative = false, .magnitude = *u};
  if (const auto* i = std::get_if<i64>(&value))
    return Number{.negative = *i < 0,
                  .magnitude = *i < 0 ? ~static_cast<u64>(*i) + 1 : static_cast<u64>(*i)};
  return fail("a number is expected, not {}", to_text(value).empty() ? "nothing" : to_text(value));
}

std::optional<u64> unit_of(char c) {
  switch (c) {
    case 'b':
    case 'B': return 1;
    case 'k':
    case 'K': return KiB;
    case 'm':
    case 'M': return MiB;
    case 'g':
    case 'G': return GiB;
    case 't':
    case 'T': return GiB << 10;
    case 'p':
    case 'P': return GiB << 20;
    case 'e':
    case 'E': return GiB << 30;
    default: return std::nullopt;
  }
}

}  // namespace

std::string to_text(const Value& value) {
  switch (value.index()) {
    case 1: return std::get<bool>(value) ? "on" : "off";
    case 2: return std::to_string(std::get<i64>(value));
    case 3: return std::to_string(std::get<u64>(value));
    case 4: return std::get<std::string>(value);
    default: return {};
  }
}

Result<bool> parse_bool(const Value& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b;
  if (const auto* s = std::get_if<std::string>(&value)) {
    for (const auto* yes : {"on", "yes", "true", "y"})
      if (*s == yes) return true;
    for (const auto* no : {"off", "no", "false", "n"})
      if (*s == no) return false;
  }
  return fail("'{}' is neither on nor off", to_text(value));
}

Result<u64> parse_unsigned(const Value& value, IntegerRange range, bool as_size) {
  u64 number = 0;
  const auto* text = std::get_if<std::string>(&value);
  if (as_size && text != nullptr) {
    number = TRY(parse_size(*text));
  } else {
    const Number parsed = TRY(number_of(value));
    if (parsed.negative && parsed.magnitude != 0)
      return fail("{} is out of range ({}..{})", to_text(value), std::max<i64>(range.min, 0),
                  range.max);
    number = parsed.magnitude;
  }
  const u64 min = range.min > 0 ? static_cast<u64>(range.min) : 0;
  if (number < min || number > range.max)
    return fail("{} is out of range ({}..{})", to_text(value), min, range.max);
  return number;
}

Result<i64> parse_signed(const Value& value, IntegerRange range) {
  const Number parsed = TRY(number_of(value));
  const u64 limit = u64{1} << 63;
  const u64 max = std::min<u64>(range.max, limit - 1);
  const bool fits = parsed.negative ? parsed.magnitude <= limit : parsed.magnitude < limit;
  const i64 number = parsed.negative ? static_cast<i64>(~parsed.magnitude + 1)
                                     : static_cast<i64>(parsed.magnitude);
  if (!fits || number < range.min || number > static_cast<i64>(max))
    return fail("{} is out of range ({}..{})", to_text(value), range.min, max);
  return number;
}

Result<std::string> parse_string(const Value& value) {
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  return fail("a string is expected, not {}", to_text(value));
}

Result<std::size_t> parse_enum(const Value& value, const std::string_view* names,
                               std::size_t count) {
  const std::string text = to_text(value);
  std::string choices;
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == text) return i;
    choices += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  return fail("{}", with_remark(fmt::format("'{}' is not one of {}", text, choices),
                                nearest_hint(text, {names, names + count})));
}

Result<u64> parse_size(std::string_view text, u64 default_unit) {
  const std::string whole(text);
  u64 unit = default_unit;
  if (!text.empty() && !text.starts_with("0x")) {
    if (const auto suffix = unit_of(text.back())) {
      unit = *suffix;
      text.remove_suffix(1);
    }
  }
  if (const auto number = parse_number(text)) {
    if (number->negative && number->magnitude != 0) return fail("'{}' is not a size", whole);
    if (number->magnitude > std::numeric_limits<u64>::max() / unit)
      return fail("size '{}' is too large", whole);
    return number->magnitude * unit;
  }
  double fraction = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), fraction, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(fraction) ||
      fraction < 0)
    return fail("'{}' is not a size: a number with an optional suffix B, K, M, G, T, P or E",
                whole);
  const double bytes = fraction * static_cast<double>(unit);
  if (bytes >= 0x1p64) return fail("size '{}' is too large", whole);
  return static_cast<u64>(bytes);
}

}  // namespace rhea
