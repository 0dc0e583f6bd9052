// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses as sums: what registers held times something, plus a number. Two of the same terms lie
// a known distance apart, whatever the registers held.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <optional>
#include <vector>

namespace rhea::test {

/// What a term is a multiple of: a host register's value, of now; 8 or 4 bytes of the state block,
/// by their displacement; or another sum cut to 32 or 16 bits (CutSums).
struct AddressTerm {
  enum class Kind : u8 { None, Register, Slot8, Slot4, Cut };
  Kind kind{};
  i32 number{};
  i64 times{};
  bool same(const AddressTerm& o) const { return kind == o.kind && number == o.number; }
  friend bool operator==(const AddressTerm&, const AddressTerm&) = default;
};

class AddressSum {
 public:
  /// Nothing is known of it.
  AddressSum() = default;
  static AddressSum of(i64 number);
  static AddressSum of(AddressTerm::Kind kind, i32 number);
  static AddressSum of_register(unsigned reg) {
    return of(AddressTerm::Kind::Register, static_cast<i32>(reg));
  }

  bool is_known() const { return known_; }
  AddressSum operator+(const AddressSum& other) const;
  AddressSum operator*(i64 times) const;
  AddressSum operator-(const AddressSum& other) const { return *this + other * -1; }
  AddressSum operator+(i64 number) const { return *this + of(number); }
  /// If it is a number.
  std::optional<i64> number() const;
  /// Whether it is a number, and none below zero.
  bool is_not_negative() const { return number().value_or(-1) >= 0; }
  /// Every term that `gone` says is not what it was any more: the sum is not known either.
  template <class Gone>
  void forget(Gone gone) {
    for (const AddressTerm& term : terms_)
      if (term.kind != AddressTerm::Kind::None && gone(term)) *this = {};
  }
  /// The register has become what it was plus `by`.
  void shift(unsigned reg, i64 by);
  /// The sum of what `change` makes of each term.
  template <class Change>
  AddressSum mapped(Change change) const {
    if (!known_) return {};
    AddressSum made = of(number_);
    for (const AddressTerm& term : terms_)
      if (term.kind != AddressTerm::Kind::None) made = made + change(term) * term.times;
    return made;
  }
  template <class Predicate>
  bool any(Predicate predicate) const {
    for (const AddressTerm& term : terms_)
      if (term.kind != AddressTerm::Kind::None && predicate(term)) return true;
    return false;
  }
  friend bool operator==(const AddressSum&, const AddressSum&) = default;

 private:
  void add(const AddressTerm& term);

  bool known_{};
  std::array<AddressTerm, 4> terms_{};  ///< in the order of kinds and numbers; those of none first
  i64 number_{};
};

/// Sums of which the low bits count, by number.
class CutSums {
 public:
  AddressSum cut(const AddressSum& sum, unsigned bits);
  /// With another register in place of one.
  AddressSum renamed(const AddressSum& sum, unsigned from, unsigned to);
  /// What was cut, if the sum is such a thing.
  AddressSum whole(const AddressSum& sum) const;
  /// Whether one of the terms of what was cut is such a one.
  template <class Predicate>
  bool contains(i32 number, Predicate predicate) const {
    return all_[static_cast<std::size_t>(number)].sum.any([&](const AddressTerm& term) {
      return term.kind == AddressTerm::Kind::Cut ? contains(term.number, predicate)
                                                 : predicate(term);
    });
  }

 private:
  struct Cut {
    AddressSum sum;
    unsigned bits;
  };
  std::vector<Cut> all_;
};

}  // namespace rhea::test
