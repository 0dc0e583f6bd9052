// SPDX-License-Identifier: GPL-2.0-or-later
// The rows of a register table, and the words that they are written in (see registers.h).
#pragma once

#include "rhea/qom/register_info.h"
#include "rhea/qom/value.h"
#include "rhea/softmmu/access.h"
#include "rhea/softmmu/region.h"

#include <array>
#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace rhea {

/// What holds for a whole bank.
struct BankShape {
  std::string_view name{};  ///< of the region; the type's name when empty
  u64 size{0};              ///< bytes; 0: the power of two that holds all rows
  AccessSizes sizes{.min = 1, .max = 4, .unaligned = false};  ///< what the hardware accepts
  Reach reach{Reach::Bytes};                                  ///< of rows that do not say
  u64 elsewhere{~u64{0}};                                     ///< what a read of nothing gives
};

namespace detail {

struct Nothing {};

template <class T>
inline constexpr bool is_something = !std::is_same_v<T, Nothing>;

/// A register's member: what one value of it is, and how many it has.
template <class Cell>
struct CellTraits {
  using Value = Nothing;
  static constexpr unsigned kCount = 1;
  static constexpr unsigned kBytes = 0;
};
template <class V, class Owner>
struct CellTraits<V Owner::*> {
  using Value = V;
  static constexpr unsigned kCount = 1;
  static constexpr unsigned kBytes = sizeof(V);
  static constexpr bool kArray = false;
};
template <class V, std::size_t N, class Owner>
struct CellTraits<std::array<V, N> Owner::*> {
  using Value = V;
  static constexpr unsigned kCount = N;
  static constexpr unsigned kBytes = sizeof(V);
  static constexpr bool kArray = true;
};

/// The plain part of a row.
struct RowShape {
  std::string_view name;
  std::string_view help{};
  u64 offset{};
  unsigned width{};
  unsigned count{1};
  u64 stride{};
  u64 reset{};
  u64 writable{};
  bool writable_given{};
  u64 write_1_clears{};
  u64 read_clears{};
  u64 bits{};
  bool bits_given{};
  Reach reach{};
  bool reach_given{};
  bool constant{};
  bool read_only{};
  bool write_only{};
  bool keeps{};
};

template <class C, class R, class W, class AR, class AW, class L, std::size_t F>
struct RowParts {
  RowShape shape;
  C cell{};
  R read_by{};
  W write_by{};
  AR after_read{};
  AW after_write{};
  L locked_while{};
  std::array<RegisterField, F> fields{};
};

}  // namespace detail

/// One row: built by `reg(…)` and the words chained after it, each of which gives a new row.
template <class Self, class C = detail::Nothing, class R = detail::Nothing,
          class W = detail::Nothing, class AR = detail::Nothing, class AW = detail::Nothing,
          class L = detail::Nothing, std::size_t F = 0>
struct Register {
  using Cell = C;
  using ReadBy = R;
  using WriteBy = W;
  using AfterRead = AR;
  using AfterWrite = AW;
  using LockedWhile = L;

  detail::RowParts<C, R, W, AR, AW, L, F> parts;

  /// What it is, for people.
  constexpr Register help(std::string_view text) const {
    return with([&](auto& shape) { shape.help = text; });
  }
  /// The value after reset, when that is not 0.
  constexpr Register reset(u64 value) const {
    return with([&](auto& shape) { shape.reset = value; });
  }
  /// A reset leaves it as it is.
  constexpr Register keeps_at_reset() const {
    return with([](auto& shape) { shape.keeps = true; });
  }
  /// A read gives always this value; writes are ignored where no write_by() takes them.
  constexpr Register constant(u64 value) const {
    return with([&](auto& shape) {
      shape.reset = value;
      shape.constant = true;
    });
  }
  constexpr Register read_only() const {
    return with([](auto& shape) { shape.read_only = true; });
  }
  /// A read gives what a read of nothing gives.
  constexpr Register write_only() const {
    return with([](auto& shape) { shape.write_only = true; });
  }
  /// The bits that take what the guest writes; all, unless this or one of the next two is said.
  constexpr Register writable(u64 mask) const {
    return with([&](auto& shape) {
      shape.writable = mask;
      shape.writable_given = true;
    });
  }
  /// Bits that the guest clears by writing ones.
  constexpr Register write_1_clears(u64 mask) const {
    return with([&](auto& shape) { shape.write_1_clears = mask; });
  }
  /// Bits that are clear once the guest has read them.
  constexpr Register read_clears(u64 mask) const {
    return with([&](auto& shape) { shape.read_clears = mask; });
  }
  /// The bits there are; else all, or where the row says what of it can be written, those, the
  /// fields and what reset sets. A load with other bits is refused.
  constexpr Register bits(u64 mask) const {
    return with([&](auto& shape) {
      shape.bits = mask;
      shape.bits_given = true;
    });
  }
  /// Bytes, when that is not the member's size.
  constexpr Register width(unsigned bytes) const {
    return with([&](auto& shape) { shape.width = bytes; });
  }
  /// Bytes from one of an array's registers to the next, when that is not the width.
  constexpr Register stride(u64 bytes) const {
    return with([&](auto& shape) { shape.stride = bytes; });
  }
  /// `count` registers alike that are no array.
  constexpr Register count(unsigned count) const {
    return with([&](auto& shape) { shape.count = count; });
  }
  constexpr Register reach(Reach reach) const {
    return with([&](auto& shape) {
      shape.reach = reach;
      shape.reach_given = true;
    });
  }
  /// Adjacent bits with a name; `names` are those of the values 0, 1, …: names_of<Mode>.
  constexpr auto field(std::string_view name, u64 mask,
                       std::span<const std::string_view> names = {}) const {
    return with_field({.name = name, .mask = mask, .values = names});
  }

  // Side effects are member functions of the device; those of an array's registers take an
  // `unsigned index` first.

  /// `V f()` says what a read gives. A const one also tells monitors.
  template <class Fn>
  constexpr auto read_by(Fn function) const {
    const auto& p = parts;
    return Register<Self, C, Fn, W, AR, AW, L, F>{{p.shape, p.cell, function, p.write_by,
                                                   p.after_read, p.after_write, p.locked_while,
                                                   p.fields}};
  }
  /// `void f(V value)` does what a write does, and stores what is to be stored.
  template <class Fn>
  constexpr auto write_by(Fn function) const {
    const auto& p = parts;
    return Register<Self, C, R, Fn, AR, AW, L, F>{{p.shape, p.cell, p.read_by, function,
                                                   p.after_read, p.after_write, p.locked_while,
                                                   p.fields}};
  }
  /// `void f()` comes after each read by the guest.
  template <class Fn>
  constexpr auto after_read(Fn function) const {
    const auto& p = parts;
    return Register<Self, C, R, W, Fn, AW, L, F>{{p.shape, p.cell, p.read_by, p.write_by, function,
                                                  p.after_write, p.locked_while, p.fields}};
  }
  /// `void f()`, `void f(V written)` or `void f(V written, V before)` comes after each write, when
  /// the member has its new value.
  template <class Fn>
  constexpr auto after_write(Fn function) const {
    const auto& p = parts;
    return Register<Self, C, R, W, AR, Fn, L, F>{
        {p.shape, p.cell, p.read_by, p.write_by, p.after_read, function, p.locked_while, p.fields}};
  }
  /// While `bool f() const` says true, writes are ignored.
  template <class Fn>
  constexpr auto locked_while(Fn function) const {
    const auto& p = parts;
    return Register<Self, C, R, W, AR, AW, Fn, F>{
        {p.shape, p.cell, p.read_by, p.write_by, p.after_read, p.after_write, function, p.fields}};
  }

 private:
  template <class Change>
  constexpr Register with(Change change) const {
    Register changed = *this;
    change(changed.parts.shape);
    return changed;
  }
  constexpr auto with_field(const RegisterField& field) const {
    const auto& p = parts;
    Register<Self, C, R, W, AR, AW, L, F + 1> grown{
        {p.shape, p.cell, p.read_by, p.write_by, p.after_read, p.after_write, p.locked_while, {}}};
    for (std::size_t i = 0; i < F; ++i) grown.parts.fields[i] = parts.fields[i];
    grown.parts.fields[F] = field;
    return grown;
  }
};

/// A piece of the region with handlers of its own.
template <class R, class W>
struct RegisterRange {
  std::string_view name;
  u64 offset;
  u64 size;
  R read;
  W write;
};

template <class... Rows>
struct RegisterTable {
  BankShape shape;
  std::tuple<Rows...> rows;
};

namespace detail {
/// A function may return one row alone.
template <class... Rows>
constexpr auto as_table(const RegisterTable<Rows...>& table) {
  return table;
}
template <class Row>
constexpr auto as_table(const Row& row) {
  return RegisterTable<Row>{BankShape{}, std::tuple<Row>{row}};
}
}  // namespace detail

/// The names of an enum's values, for fields.
template <class E>
inline constexpr std::span<const std::string_view> names_of = EnumTraits<E>::kNames;

/// What a table is written with: the argument of the function given to Schema::registers().
template <class Self>
struct RegisterMaker {
  /// A register that is kept in a member: a number, bool, enum, or std::array of them.
  template <class V, class Owner>
    requires std::derived_from<Self, Owner> && (!std::is_function_v<V>)
  constexpr auto operator()(std::string_view name, u64 offset, V Owner::* member) const {
    using Traits = detail::CellTraits<V Owner::*>;
    using Number = typename Traits::Value;
    static_assert(std::is_integral_v<Number> || std::is_enum_v<Number>,
                  "a register's member is a number, bool, enum, or std::array of them");
    return Register<Self, V Owner::*>{{.shape = {.name = name,
                                                 .offset = offset,
                                                 .width = Traits::kBytes,
                                                 .count = Traits::kCount},
                                       .cell = member}};
  }
  /// A register of `width` bytes that functions of the device make.
  constexpr auto operator()(std::string_view name, u64 offset, unsigned width) const {
    return Register<Self>{{.shape = {.name = name, .offset = offset, .width = width}}};
  }
  /// `size` bytes from `offset` on with `u64 read(u64 offset, unsigned size)` and `void write(u64
  /// offset, u64 value, unsigned size)`; offsets count from the start of the range.
  template <class R, class W>
  constexpr auto range(std::string_view name, u64 offset, u64 size, R read, W write) const {
    return RegisterRange<R, W>{name, offset, size, read, write};
  }
  template <class... Rows>
  constexpr auto bank(const BankShape& shape, const Rows&... rows) const {
    return RegisterTable<Rows...>{shape, std::tuple<Rows...>{rows...}};
  }
};

}  // namespace rhea
