// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: info device, what a device's registers and state hold.
#include "monitor/hmp/command.h"
#include "monitor/object_path.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/registers.h"

#include <algorithm>

namespace rhea::hmp {
namespace {

/// "ro", "rw", "wo", "w1c", "rc": what the guest can do with it.
std::string access_of(const rhea::RegisterInfo& row) {
  if (row.is_range()) return "range";
  if (!row.guest_writes) return row.read_clears != 0 ? "rc" : "ro";
  if (!row.guest_reads) return "wo";
  return row.write_1_clears != 0 ? "w1c" : "rw";
}

void print_register(Context& context, const Object& object, const RegisterBankInfo& bank,
                    const rhea::RegisterInfo& row, unsigned index) {
  const auto value = peek_register(object, {.bank = &bank, .row = &row, .index = index});
  context.print("  {:04x} {:<20} {:<3} ", row.offset + index * row.stride,
                register_name(row, index), access_of(row));
  if (!value) return context.print("-\n");
  std::string fields = fields_text(row, *value);
  if (!fields.empty()) fields = fmt::format(" [{}]", fields);
  context.print("{:#0{}x}{}\n", *value, 2 + 2 * row.width, fields);
}

void print_bank(Context& context, const Object& object, const RegisterBankInfo& bank) {
  context.print("registers {}:\n", bank.name);
  std::vector<const rhea::RegisterInfo*> rows;
  for (const rhea::RegisterInfo& row : bank.rows) rows.push_back(&row);
  std::ranges::sort(rows, {}, [](const rhea::RegisterInfo* row) {
    return std::pair(row->offset, row->guest_writes);
  });
  for (const rhea::RegisterInfo* row : rows) {
    if (row->is_range())
      context.print("  {:04x} {:<20} {} of {:#x} bytes\n", row->offset, row->name, "range",
                    row->stride);
    for (unsigned index = 0; !row->is_range() && index < row->count; ++index)
      print_register(context, object, bank, *row, index);
  }
}

void print_state(Context& context, const Object& object, const TypeInfo& type) {
  bool first = true;
  for (const StateField& field : type.state.fields) {
    if (!field.show || find_register(type, field.name)) continue;
    const bool array_of_registers = find_register(type, field.name + "[0]").has_value();
    if (array_of_registers) continue;
    if (std::exchange(first, false)) context.print("state of {}:\n", type.name);
    context.print("  {:<25} {}\n", field.name, to_text(field.show(&object)));
  }
}

Result<> device(Context& context, Arguments& arguments) {
  const std::string name = TRY(arguments.text());
  TRY(arguments.end());
  const auto by_id = monitor::find_peripheral(context.machine, name);
  const Object* object =
      by_id ? static_cast<const Object*>(*by_id) : TRY(monitor::find_object(context.machine, name));
  context.print("{}: {}\n", monitor::path_of(*object), object->type().name);
  const auto lineage = object->type().lineage();
  for (const TypeInfo* type : lineage)
    for (const DeclaredBank& bank : type->banks) print_bank(context, *object, *bank.info);
  for (const TypeInfo* type : lineage) print_state(context, *object, *type);
  return {};
}

const RegisterInfo registration{
    {"device", "id", "show a device's registers and state, by its id or path", &device}};

}  // namespace
}  // namespace rhea::hmp
