// SPDX-License-Identifier: GPL-2.0-or-later
// Properties of a class: what is declared of one, and how it is kept in a member.
#pragma once

#include "rhea/qom/object.h"
#include "rhea/qom/value.h"

#include <algorithm>
#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rhea {

/// One property of a class.
struct Property {
  std::string name;
  std::string type;  ///< "bool", "uint16", "size", "str", "link<chardev>", or an enum's name
  std::string help;
  Value default_value;
  std::vector<std::string> enum_values;
  IntegerRange range;
  bool as_size{false};
  bool settable_when_realized{false};
  std::function<Value(const Object&)> get;
  std::function<Result<>(Object&, const Value&, const Property&)> set;  ///< empty: read-only
};

/// Chained after property(); V is what it is kept in, void when functions keep it.
template <class V>
class PropertyBuilder {
  static constexpr bool kNumber = std::is_integral_v<V> && !std::is_same_v<V, bool>;

 public:
  explicit PropertyBuilder(Property& property) : property_(&property) {}
  PropertyBuilder& help(std::string_view text) {
    property_->help = text;
    return *this;
  }
  PropertyBuilder& range(i64 min, u64 max) {
    static_assert(kNumber, "range() is for properties that are numbers kept in a member");
    property_->range = {.min = min, .max = max};
    return *this;
  }
  /// Takes suffixes (4K, 16M) and is shown as type "size".
  PropertyBuilder& as_size() {
    static_assert(kNumber && std::is_unsigned_v<V>, "as_size() is for unsigned numbers");
    property_->as_size = true;
    property_->type = "size";
    return *this;
  }
  PropertyBuilder& settable_when_realized() {
    property_->settable_when_realized = true;
    return *this;
  }
  PropertyBuilder& read_only() {
    property_->set = nullptr;
    return *this;
  }

 private:
  Property* property_;
};

namespace detail {
/// Named so that a compiler that meets it says what is wrong.
inline void the_default_of_a_property_does_not_fit_its_member() {}

/// A property's default: a constant that its member can hold.
template <class V>
struct DefaultOf {
  V value;
  template <class Given>
    requires std::is_convertible_v<Given, V>
  // NOLINTNEXTLINE(google-explicit-constructor): stands for the value
  consteval DefaultOf(Given given) : value(static_cast<V>(given)) {
    if constexpr (!std::is_same_v<Given, V>) {
      static_assert(
          std::is_integral_v<V> && !std::is_same_v<V, bool> && !std::is_same_v<Given, bool>,
          "the default of a property is of its member's type, or a number for a number");
      if (static_cast<Given>(value) != given || (value < V{}) != (given < Given{}))
        the_default_of_a_property_does_not_fit_its_member();
    }
  }
};
template <>
struct DefaultOf<std::string> {
  std::string value;
  // NOLINTNEXTLINE(google-explicit-constructor): stands for the value
  DefaultOf(std::string given) : value(std::move(given)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  DefaultOf(std::string_view given) : value(given) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  DefaultOf(const char* given) : value(given) {}
};
}  // namespace detail

/// How a member of type V is read from and shown as a Value.
template <class V>
struct PropertyCodec;

template <>
struct PropertyCodec<bool> {
  static std::string type() { return "bool"; }
  static Value to_value(bool v) { return v; }
  static Result<bool> parse(const Value& v, const Property&) { return parse_bool(v); }
};

template <class V>
  requires(std::unsigned_integral<V> && !std::same_as<V, bool>)
struct PropertyCodec<V> {
  static std::string type() { return std::string(integer_type_name<V>()); }
  static Value to_value(V v) { return u64{v}; }
  static Result<V> parse(const Value& v, const Property& p) {
    IntegerRange range = p.range;
    range.max = std::min<u64>(range.max, std::numeric_limits<V>::max());
    return static_cast<V>(TRY(parse_unsigned(v, range, p.as_size)));
  }
};

template <std::signed_integral V>
struct PropertyCodec<V> {
  static std::string type() { return std::string(integer_type_name<V>()); }
  static Value to_value(V v) { return i64{v}; }
  static Result<V> parse(const Value& v, const Property& p) {
    IntegerRange range = p.range;
    range.min = std::max<i64>(range.min, std::numeric_limits<V>::min());
    range.max = std::min<u64>(range.max, static_cast<u64>(std::numeric_limits<V>::max()));
    return static_cast<V>(TRY(parse_signed(v, range)));
  }
};

template <>
struct PropertyCodec<std::string> {
  static std::string type() { return "str"; }
  static Value to_value(const std::string& v) { return v; }
  static Result<std::string> parse(const Value& v, const Property&) { return parse_string(v); }
};

template <class E>
  requires std::is_enum_v<E>
struct PropertyCodec<E> {
  static std::string type() { return std::string(EnumTraits<E>::kType); }
  static Value to_value(E v) { return std::string(enum_name(v)); }
  static Result<E> parse(const Value& v, const Property&) {
    const auto& names = EnumTraits<E>::kNames;
    return static_cast<E>(TRY(parse_enum(v, names.data(), names.size())));
  }
};

namespace detail {
/// What a link's member leads to: a plain pointer, or a member that has Target, target() and
/// lead_to().
template <class M>
struct LinkMember {
  using Target = typename M::Target;
  static const Target* get(const M& member) { return member.target(); }
  static void set(M& member, Target* target) { member.lead_to(target); }
};
template <class T>
struct LinkMember<T*> {
  using Target = T;
  static const T* get(T* member) { return member; }
  static void set(T*& member, T* target) { member = target; }
};
}  // namespace detail

}  // namespace rhea
