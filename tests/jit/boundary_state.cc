// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/jit/boundary_state.h"

#include "target/x86/translate/translator.h"

namespace rhea::test {
namespace {

using x86::translating::kScratch0;
using x86::translating::kScratch1;
using Kind = AddressTerm::Kind;

AddressSum less_of(const AddressSum& a, const AddressSum& b) {
  const auto distance = (a - b).number();
  if (!distance) return {};
  return *distance < 0 ? a : b;
}

Known meet(const Known& a, const Known& b) {
  if (a.holds != b.holds || a.mask != b.mask) return {};
  return {.holds = a.holds,
          .at = a.at == b.at ? a.at : AddressSum(),
          .mask = a.mask,
          .before = less_of(a.before, b.before),
          .behind = less_of(a.behind, b.behind)};
}

/// Whether the term is such a one, or what was cut for it has one.
template <class Predicate>
auto with_cut(const CutSums& cuts, Predicate predicate) {
  return [&cuts, predicate](const AddressTerm& term) {
    return predicate(term) || (term.kind == Kind::Cut && cuts.contains(term.number, predicate));
  };
}

}  // namespace

HostState meet(const HostState& a, const HostState& b) {
  HostState made;
  for (unsigned n = 0; n < 16; ++n) made.reg[n] = meet(a.reg[n], b.reg[n]);
  for (unsigned n = 0; n < kTemporaries; ++n)
    made.temporary[n] = meet(a.temporary[n], b.temporary[n]);
  if (a.compared == b.compared && a.with == b.with) {
    made.compared = a.compared;
    made.with = a.with;
  }
  if (a.limited == b.limited && a.limit == b.limit) {
    made.limited = a.limited;
    made.limit = a.limit;
  }
  return made;
}

void HostState::forget_register(unsigned number, std::optional<i64> by, const CutSums& cuts) {
  const auto is_it = [number](const AddressTerm& term) {
    return term.kind == Kind::Register && term.number == static_cast<i32>(number);
  };
  const auto gone = with_cut(cuts, is_it);
  visit([&](Known& known) {
    known.visit([&](AddressSum& each) {
      each.forget([&](const AddressTerm& term) { return gone(term) && !(by && is_it(term)); });
      if (by) each.shift(number, *by);
    });
  });
}

void HostState::forget_state(i64 from, i64 size, const CutSums& cuts) {
  const auto gone = with_cut(cuts, [=](const AddressTerm& term) {
    return (term.kind == Kind::Slot8 || term.kind == Kind::Slot4) && term.number < from + size &&
           term.number + 8 > from;
  });
  visit([&](Known& known) { known.visit([&](AddressSum& each) { each.forget(gone); }); });
}

void HostState::rename(unsigned from, unsigned to, CutSums& cuts) {
  visit([&](Known& known) {
    known.visit([&](AddressSum& each) { each = cuts.renamed(each, from, to); });
  });
}

void HostState::put(unsigned number, Known made, CutSums& cuts) {
  const AddressSum itself = AddressSum::of_register(number);
  const auto by =
      made.holds == Holds::Anything ? (made.at - itself).number() : std::optional<i64>();
  reg[number] = made;
  for (const unsigned copy : {kScratch0, kScratch1})
    if (!by && copy != number && reg[copy].holds == Holds::Anything && reg[copy].at == itself)
      rename(number, copy, cuts);
  forget_register(number, by, cuts);
  if (by) reg[number].at = {};
  if (made.holds != Holds::Anything || number == kScratch0 || number == kScratch1) return;
  // The guest's registers are their own measure.
  for (const unsigned copy : {kScratch0, kScratch1})
    if (reg[number].at == AddressSum::of_register(copy)) rename(copy, number, cuts);
  reg[number].at = {};
}

}  // namespace rhea::test
