// SPDX-License-Identifier: GPL-2.0-or-later
// Migratable state: how the members that a class declares go to a byte stream and come back.
//
// A stream is tagged and checked: every field carries its name and size, every object's section its
// version, length and CRC-32, so that a truncated, garbled or foreign stream is refused with a text
// that says where. Numbers are little-endian.
#pragma once

#include "rhea/qom/value.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

class StateWriter {
 public:
  /// Which fields go in: all, or those that a reset sets, for who compares what it left.
  enum class Fields : u8 { All, SetByReset };
  explicit StateWriter(Fields fields = Fields::All) : fields_(fields) {}
  Fields fields() const { return fields_; }

  void number(u64 value, unsigned bytes);
  void bytes(std::span<const u8> data);
  void text(std::string_view text);
  /// Reserves a 32-bit length and returns its place; end_block fills it in.
  std::size_t begin_block();
  void end_block(std::size_t place);

  const std::vector<u8>& data() const { return data_; }
  std::vector<u8> take() { return std::move(data_); }
  std::size_t size() const { return data_.size(); }

 private:
  Fields fields_;
  std::vector<u8> data_;
};

/// Reads what StateWriter wrote; never past the end.
class StateReader {
 public:
  explicit StateReader(std::span<const u8> data) : data_(data) {}

  Result<u64> number(unsigned bytes);
  Result<std::span<const u8>> bytes(std::size_t count);
  Result<std::string> text();
  /// The block that begin_block/end_block framed, as a reader of its own.
  Result<StateReader> block();
  bool at_end() const { return position_ == data_.size(); }
  std::size_t remaining() const { return data_.size() - position_; }

 private:
  std::span<const u8> data_;
  std::size_t position_{0};
};

class FieldList;

/// How a member of type T is saved. Specialise for own types, or give them
/// `static void describe(StateFields<T>&)`.
template <class T>
struct StateCodec;

/// One declared field, type-erased: `object` is the struct or class that has it.
struct StateField {
  std::string name;
  unsigned since{1};
  u64 min{0};
  u64 max{std::numeric_limits<u64>::max()};
  bool survives_reset{};
  std::function<void(const void* object, StateWriter&)> save;
  std::function<Result<>(void* object, StateReader&, const StateField&)> load;
  std::function<Value(const void* object)> show{};  ///< for people; empty inside of structs
};

/// Fields in the order of declaration.
class FieldList {
 public:
  void save(const void* object, StateWriter& out) const;
  /// Loads what a section of `version` holds; fields that are younger than it keep their reset
  /// value.
  Result<> load(void* object, StateReader& in, unsigned version) const;

  std::vector<StateField> fields;
};

/// What bounds mean something for: unsigned numbers, enums, arrays of them, the length of a vector.
template <class V>
inline constexpr bool kStateHasRange =
    std::is_enum_v<V> || (std::unsigned_integral<V> && !std::same_as<V, bool>);
template <class E>
inline constexpr bool kStateHasRange<std::vector<E>> = true;
template <class E, std::size_t N>
inline constexpr bool kStateHasRange<std::array<E, N>> = kStateHasRange<E>;

/// Chained after state(), of a member of type V.
template <class V>
class StateBuilder {
 public:
  explicit StateBuilder(StateField& field) : field_(&field) {}
  /// The version that brought the field.
  StateBuilder& since(unsigned version) {
    field_->since = version;
    return *this;
  }
  /// Bounds that each loaded number must keep, or a vector's length: a load outside is refused.
  StateBuilder& range(u64 min, u64 max) {
    static_assert(
        kStateHasRange<V>,
        "range() is for unsigned numbers, enums, arrays of them, and the length of vectors");
    field_->min = min;
    field_->max = max;
    return *this;
  }
  /// A reset leaves it as it is: what a battery keeps, what the data sheet says stays. Of all else
  /// the tests expect a new device's value.
  StateBuilder& survives_reset() {
    field_->survives_reset = true;
    return *this;
  }

 private:
  StateField* field_;
};

/// What a struct's `static void describe(StateFields<Self>&)` fills.
template <class Self>
class StateFields {
 public:
  explicit StateFields(FieldList& list) : list_(&list) {}

  template <class V, class Owner>
    requires std::derived_from<Self, Owner>
  StateBuilder<V> state(std::string_view name, V Owner::* member) {
    list_->fields.push_back(
        StateField{.name = std::string(name),
                   .save =
                       [member](const void* object, StateWriter& out) {
                         StateCodec<V>::save(static_cast<const Self*>(object)->*member, out);
                       },
                   .load =
                       [member](void* object, StateReader& in, const StateField& field) {
                         return StateCodec<V>::load(static_cast<Self*>(object)->*member, in, field);
                       }});
    return StateBuilder<V>(list_->fields.back());
  }

 private:
  FieldList* list_;
};

template <class T>
  requires(std::integral<T> || std::is_enum_v<T>)
struct StateCodec<T> {
  static void save(T value, StateWriter& out) { out.number(static_cast<u64>(value), sizeof(T)); }
  static Result<> load(T& value, StateReader& in, const StateField& field) {
    const u64 raw = TRY(in.number(sizeof(T)));
    if constexpr (std::same_as<T, bool>) {
      if (raw > 1) return fail("state field '{}' is no boolean: {}", field.name, raw);
    } else if constexpr (requires { EnumTraits<T>::kNames; }) {
      if (raw >= EnumTraits<T>::kNames.size())
        return fail("state field '{}' is out of range: {}", field.name, raw);
    }
    if constexpr (!std::is_signed_v<T>) {
      if (raw < field.min || raw > field.max)
        return fail("state field '{}' is out of range: {}", field.name, raw);
    }
    value = static_cast<T>(raw);
    return {};
  }
};

/// Bytes that may have any value are copied as a whole: a device's memory may be megabytes.
template <class E>
Result<> load_elements(std::span<E> values, StateReader& in, const StateField& field) {
  if constexpr (std::same_as<E, u8>) {
    if (field.min == 0 && field.max >= std::numeric_limits<u8>::max()) {
      std::ranges::copy(TRY(in.bytes(values.size())), values.begin());
      return {};
    }
  }
  for (E& value : values) TRY(StateCodec<E>::load(value, in, field));
  return {};
}

template <class E, std::size_t N>
struct StateCodec<std::array<E, N>> {
  static void save(const std::array<E, N>& values, StateWriter& out) {
    if constexpr (std::same_as<E, u8>)
      out.bytes(values);
    else
      for (const E& value : values) StateCodec<E>::save(value, out);
  }
  static Result<> load(std::array<E, N>& values, StateReader& in, const StateField& field) {
    return load_elements<E>(values, in, field);
  }
};

/// A vector is saved with its length. A loaded one must have the length that the object already
/// has, unless the field's range names the bounds of the length.
template <class E>
struct StateCodec<std::vector<E>> {
  static void save(const std::vector<E>& values, StateWriter& out) {
    out.number(values.size(), 4);
    if constexpr (std::same_as<E, u8>)
      out.bytes(values);
    else
      for (const E& value : values) StateCodec<E>::save(value, out);
  }
  static Result<> load(std::vector<E>& values, StateReader& in, const StateField& field) {
    const u64 count = TRY(in.number(4));
    const bool bounded = field.max != std::numeric_limits<u64>::max();
    if (bounded ? count < field.min || count > field.max : count != values.size())
      return fail("state field '{}' has a wrong length: {}", field.name, count);
    if (count > in.remaining()) return fail("state field '{}' is truncated", field.name);
    values.resize(count);
    const StateField element{.name = field.name, .save = {}, .load = {}};
    return load_elements<E>(values, in, element);
  }
};

template <class T>
concept DescribedStruct = requires(StateFields<T>& s) { T::describe(s); };

template <DescribedStruct T>
struct StateCodec<T> {
  static const FieldList& list() {
    static const FieldList fields = [] {
      FieldList made;
      StateFields<T> builder(made);
      T::describe(builder);
      return made;
    }();
    return fields;
  }
  static void save(const T& value, StateWriter& out) { list().save(&value, out); }
  static Result<> load(T& value, StateReader& in, const StateField&) {
    return list().load(&value, in, std::numeric_limits<unsigned>::max());
  }
};

/// Saved bytes as hexadecimal digits, cut off with "…" where they are many.
std::string bytes_text(std::span<const u8> bytes);

/// A state member as monitors show it: numbers and names as they are, what its codec's show() says,
/// all else as saved bytes.
template <class V>
Value shown_state(const V& value) {
  if constexpr (requires { StateCodec<V>::show(value); }) {
    return StateCodec<V>::show(value);
  } else if constexpr (requires { EnumTraits<V>::kNames; }) {
    const auto& names = EnumTraits<V>::kNames;
    const auto number = static_cast<std::size_t>(value);
    return number < names.size() ? Value(std::string(names[number])) : Value(u64{number});
  } else if constexpr (std::same_as<V, bool>) {
    return value;
  } else if constexpr (std::signed_integral<V>) {
    return i64{value};
  } else if constexpr (std::integral<V> || std::is_enum_v<V>) {
    return static_cast<u64>(value);
  } else {
    StateWriter out;
    StateCodec<V>::save(value, out);
    return bytes_text(out.data());
  }
}

}  // namespace rhea
