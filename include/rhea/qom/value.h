// SPDX-License-Identifier: GPL-2.0-or-later
// Property values as they come from the command line and QMP and go back there.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace rhea {

/// Null, bool, integer or string. The command line delivers strings; every codec parses them.
using Value = std::variant<std::monostate, bool, i64, u64, std::string>;

/// As people type it: on/off for bool, decimal for integers.
std::string to_text(const Value& value);

/// The bounds of an integer property. Signed types are compared as signed.
struct IntegerRange {
  i64 min = std::numeric_limits<i64>::min();
  u64 max = std::numeric_limits<u64>::max();
};

Result<bool> parse_bool(const Value& value);
/// Decimal, 0x hexadecimal or 0 octal; `as_size` also takes the suffixes B K M G T P E (powers of
/// 1024).
Result<u64> parse_unsigned(const Value& value, IntegerRange range, bool as_size);
Result<i64> parse_signed(const Value& value, IntegerRange range);
Result<std::string> parse_string(const Value& value);
Result<std::size_t> parse_enum(const Value& value, const std::string_view* names,
                               std::size_t count);
/// "64M", "1.5G", "4096": a size in bytes; `default_unit` applies to a number without suffix.
Result<u64> parse_size(std::string_view text, u64 default_unit = 1);

/// Specialise for each enum used as a property or state:
///   template <> struct EnumTraits<Foo> {
///     static constexpr std::string_view kType = "Foo";
///     static constexpr std::array<std::string_view, 2> kNames = {"off", "on"};  // by enumerator
///     value
///   };
template <class E>
struct EnumTraits;

enum class OnOffAuto : u8 { Auto, On, Off };
template <>
struct EnumTraits<OnOffAuto> {
  static constexpr std::string_view kType = "OnOffAuto";
  static constexpr std::array<std::string_view, 3> kNames = {"auto", "on", "off"};
};

template <class E>
std::string_view enum_name(E value) {
  return EnumTraits<E>::kNames[static_cast<std::size_t>(value)];
}

/// Name of an integer type as QMP introspection spells it.
template <class T>
constexpr std::string_view integer_type_name() {
  if constexpr (std::is_signed_v<T>) {
    constexpr std::array<std::string_view, 4> names = {"int8", "int16", "int32", "int64"};
    return names[sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
  } else {
    constexpr std::array<std::string_view, 4> names = {"uint8", "uint16", "uint32", "uint64"};
    return names[sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
  }
}

}  // namespace rhea
