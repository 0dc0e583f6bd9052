// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/jit/address_sum.h"

#include <algorithm>
#include <tuple>

namespace rhea::test {

using Kind = AddressTerm::Kind;

AddressSum AddressSum::of(i64 number) {
  AddressSum made;
  made.known_ = true;
  made.number_ = number;
  return made;
}

AddressSum AddressSum::of(Kind kind, i32 number) {
  AddressSum made = of(0);
  made.add({.kind = kind, .number = number, .times = 1});
  return made;
}

void AddressSum::add(const AddressTerm& term) {
  auto at = std::ranges::find_if(terms_, [&](const AddressTerm& each) { return each.same(term); });
  if (at == terms_.end()) {
    at = std::ranges::find(terms_, Kind::None, &AddressTerm::kind);
    if (at == terms_.end()) return void(*this = {});
    *at = {.kind = term.kind, .number = term.number, .times = 0};
  }
  at->times += term.times;
  if (at->times == 0) *at = {};
  std::ranges::sort(terms_, {},
                    [](const AddressTerm& each) { return std::tuple(each.kind, each.number); });
}

AddressSum AddressSum::operator+(const AddressSum& other) const {
  if (!known_ || !other.known_) return {};
  AddressSum made = *this;
  made.number_ += other.number_;
  for (const AddressTerm& term : other.terms_)
    if (term.kind != Kind::None && made.known_) made.add(term);
  return made;
}

AddressSum AddressSum::operator*(i64 times) const {
  if (times == 0) return of(0);
  AddressSum made = *this;
  made.number_ *= times;
  for (AddressTerm& term : made.terms_) term.times *= times;
  return made;
}

std::optional<i64> AddressSum::number() const {
  if (!known_ || any([](const AddressTerm&) { return true; })) return std::nullopt;
  return number_;
}

void AddressSum::shift(unsigned reg, i64 by) {
  for (const AddressTerm& term : terms_)
    if (term.kind == Kind::Register && term.number == static_cast<i32>(reg))
      number_ -= by * term.times;
}

AddressSum CutSums::cut(const AddressSum& sum, unsigned bits) {
  if (!sum.is_known()) return {};
  const auto known = std::ranges::find_if(
      all_, [&](const Cut& each) { return each.sum == sum && each.bits == bits; });
  const auto number = static_cast<i32>(known - all_.begin());
  if (known == all_.end()) all_.push_back({sum, bits});
  return AddressSum::of(Kind::Cut, number);
}

AddressSum CutSums::renamed(const AddressSum& sum, unsigned from, unsigned to) {
  return sum.mapped([&](const AddressTerm& term) {
    if (term.kind == Kind::Cut) {
      const Cut was = all_[static_cast<std::size_t>(term.number)];
      return cut(renamed(was.sum, from, to), was.bits);
    }
    const bool is_it = term.kind == Kind::Register && term.number == static_cast<i32>(from);
    return is_it ? AddressSum::of_register(to) : AddressSum::of(term.kind, term.number);
  });
}

AddressSum CutSums::whole(const AddressSum& sum) const {
  AddressSum found = sum;
  sum.any([&](const AddressTerm& term) {
    const bool cut = term.kind == Kind::Cut;
    if (cut && sum == AddressSum::of(Kind::Cut, term.number))
      found = whole(all_[static_cast<std::size_t>(term.number)].sum);
    return cut;
  });
  return found;
}

}  // namespace rhea::test
