// SPDX-License-Identifier: GPL-2.0-or-later
// What is made of a register's row before there is code: its functions' types, its bits.
#pragma once

#include "rhea/softmmu/register_check.h"
#include "rhea/softmmu/register_table.h"

#include <array>
#include <tuple>
#include <utility>

namespace rhea::detail {

template <class Method>
struct MethodTraits;
template <class R, class Owner, class... Args>
struct MethodTraits<R (Owner::*)(Args...)> {
  using Result = R;
  using Arguments = std::tuple<Args...>;
  static constexpr bool kConst = false;
};
template <class R, class Owner, class... Args>
struct MethodTraits<R (Owner::*)(Args...) const> : MethodTraits<R (Owner::*)(Args...)> {
  static constexpr bool kConst = true;
};

template <class Arguments>
inline constexpr bool takes_numbers = false;
template <class... Args>
inline constexpr bool takes_numbers<std::tuple<Args...>> =
    ((std::is_integral_v<Args> || std::is_enum_v<Args>) && ...);

template <class To>
constexpr To number_as(u64 value) {
  if constexpr (std::is_same_v<To, bool>)
    return value != 0;
  else
    return static_cast<To>(value);
}

/// Calls a method with as many of the numbers as it takes.
template <class Method, class Self, std::size_t N>
constexpr decltype(auto) call_method(Method method, Self& self, const std::array<u64, N>& numbers) {
  using Arguments = typename MethodTraits<Method>::Arguments;
  constexpr std::size_t count = std::tuple_size_v<Arguments>;
  static_assert(count <= N, "a register's function takes too many arguments");
  static_assert(takes_numbers<Arguments>, "a register's function takes numbers, bools or enums");
  return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
    return (self.*method)(number_as<std::tuple_element_t<I, Arguments>>(numbers[I])...);
  }(std::make_index_sequence<count>());
}

template <class Row>
inline constexpr bool is_range_row = false;
template <class R, class W>
inline constexpr bool is_range_row<RegisterRange<R, W>> = true;

template <class Self, class Row>
constexpr CheckedRow check_row(const Row& row, Reach usual) {
  using Traits = CellTraits<typename Row::Cell>;
  const RowShape& s = row.parts.shape;
  CheckedRow made;
  made.member_bytes = Traits::kBytes;
  made.members = Traits::kCount;
  made.read_by = is_something<typename Row::ReadBy>;
  made.write_by = is_something<typename Row::WriteBy>;
  made.after_read = is_something<typename Row::AfterRead>;
  made.after_write = is_something<typename Row::AfterWrite>;
  made.read_only = s.read_only;
  made.write_only = s.write_only;
  made.constant = s.constant;
  const bool member = Traits::kBytes != 0;
  RegisterInfo& info = made.info;
  const u64 all = bits_of(s.width);
  info.name = s.name;
  info.help = s.help;
  info.offset = s.offset;
  info.width = s.width;
  info.count = s.count;
  info.stride = s.stride != 0 ? s.stride : s.width;
  info.reach = s.reach_given ? s.reach : usual;
  info.guest_reads = !s.write_only && (member || made.read_by || s.constant);
  info.guest_writes = !s.read_only && (made.write_by || (member && !s.constant));
  info.keeps_at_reset = s.keeps;
  info.stored = member;
  info.reset = s.reset;
  const u64 cleared = s.write_1_clears | s.read_clears;
  if (info.guest_writes) info.writable = s.writable_given ? s.writable : cleared != 0 ? 0 : all;
  if (s.writable_given) info.writable = s.writable;
  info.write_1_clears = s.write_1_clears;
  info.read_clears = s.read_clears;
  info.fields = row.parts.fields;
  u64 named = 0;
  for (const RegisterField& field : row.parts.fields) named |= field.mask;
  const bool restricted = s.writable_given || cleared != 0 || (s.read_only && named != 0);
  info.exists = s.bits_given ? s.bits
                : restricted ? info.writable | cleared | s.reset | named
                             : all;
  return made;
}

}  // namespace rhea::detail
