// SPDX-License-Identifier: GPL-2.0-or-later
// Declared registers, seen from outside.
#include "rhea/qom/register_info.h"

#include "rhea/qom/registry.h"

#include <fmt/core.h>

namespace rhea {

std::string register_name(const RegisterInfo& row, unsigned index) {
  return row.count == 1 ? std::string(row.name) : fmt::format("{}[{}]", row.name, index);
}

std::string fields_text(const RegisterInfo& row, u64 value) {
  std::string text;
  const auto add = [&text](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  for (const RegisterField& field : row.fields) {
    const u64 part = field.of(value);
    if (part < field.values.size())
      add(fmt::format("{}={}", field.name, field.values[part]));
    else if (!field.is_flag())
      add(fmt::format("{}={:#x}", field.name, part));
    else if (part != 0)
      add(std::string(field.name));
  }
  return text;
}

std::optional<FoundRegister> find_register(const TypeInfo& type, std::string_view name) {
  for (const TypeInfo* t = &type; t != nullptr; t = t->parent)
    for (const DeclaredBank& bank : t->banks)
      for (const RegisterInfo& row : bank.info->rows)
        for (unsigned index = 0; !row.is_range() && index < row.count; ++index)
          if (name.starts_with(row.name) && register_name(row, index) == name)
            return FoundRegister{.bank = bank.info, .row = &row, .index = index};
  return std::nullopt;
}

std::optional<u64> peek_register(const Object& object, const FoundRegister& found) {
  // A function of the device may use what realize() made.
  if (!found.row->stored && !object.is_realized()) return std::nullopt;
  // The class's pointer is made from a changeable object; peek only reads.
  void* self = found.bank->self(const_cast<Object&>(object));  // NOLINT(*-const-cast): see above
  return found.row->peek(self, found.index);
}

void reset_registers(Object& object) {
  for (const TypeInfo* type : object.type().lineage())
    for (const DeclaredBank& bank : type->banks) bank.info->reset(bank.info->self(object));
}

}  // namespace rhea
