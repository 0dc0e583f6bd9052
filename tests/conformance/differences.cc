// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/conformance.h"

#include <algorithm>

namespace rhea::test {
namespace {

std::string bytes_of(const Object& object, const StateField& field, StateWriter::Fields which) {
  StateWriter out(which);
  field.save(&object, out);
  return {out.data().begin(), out.data().end()};
}

std::string shown(const Object& object, const StateField& field, const std::string& saved) {
  if (field.show && saved.size() <= 8) return to_text(field.show(&object));
  return bytes_text({reinterpret_cast<const u8*>(saved.data()), saved.size()});
}

// Long ones are told by where they differ.
std::string difference_of(const Object& one, const Object& other, const StateField& field,
                          StateWriter::Fields which) {
  if (which == StateWriter::Fields::SetByReset && field.survives_reset) return {};
  const std::string mine = bytes_of(one, field, which);
  const std::string theirs = bytes_of(other, field, which);
  if (mine == theirs) return {};
  const auto at = std::ranges::mismatch(mine, theirs).in1 - mine.begin();
  const std::string where = mine.size() > 8 ? fmt::format(" from byte {}", at) : std::string();
  return fmt::format("state field '{}' of {} ({}) differs{}: {}, not {}", field.name, one.path(),
                     one.type().name, where, shown(one, field, mine), shown(other, field, theirs));
}

std::string difference_of(const Object& one, const Object& other, StateWriter::Fields which) {
  for (const TypeInfo* type : one.type().lineage()) {
    for (const StateField& field : type->state.fields)
      if (auto text = difference_of(one, other, field, which); !text.empty()) return text;
    for (const Subsection& part : type->subsections)
      for (const StateField& field : part.fields.fields)
        if (auto text = difference_of(one, other, field, which); !text.empty()) return text;
  }
  return {};
}

}  // namespace

std::string state_difference(Machine& one, Machine& other, StateWriter::Fields fields) {
  std::string found;
  one.visit([&](Object& object) {
    if (!found.empty()) return;
    Object* twin = other.resolve(object.path());
    if (twin == nullptr || &twin->type() != &object.type()) return;
    object.pre_save();
    twin->pre_save();
    found = difference_of(object, *twin, fields);
  });
  return found;
}

std::string first_difference(const Fuzzer& one, const Fuzzer& other, std::string_view device) {
  const auto [a, b] = std::ranges::mismatch(one.seen(), other.seen());
  if (a == one.seen().end() || b == other.seen().end())
    return one.seen().size() == other.seen().size() ? std::string() : "one saw more than the other";
  const auto what = a->happening.what;
  const bool is_read = what == Happening::What::Read || what == Happening::What::ConfigRead;
  return fmt::format("step {}: {}: {} {:#x}, not {:#x}", a - one.seen().begin(),
                     text_of(a->happening, device),
                     is_read ? "gives, or leaves as lines," : "lines", b->seen, a->seen);
}

}  // namespace rhea::test
