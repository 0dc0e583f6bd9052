// SPDX-License-Identifier: GPL-2.0-or-later
// -acpitable: a table from files, under a header that the option may change (ACPI 6.4, 5.2.6).
#include "hw/i386/acpi_table_option.h"

#include "hw/i386/table_writer.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/util/option.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace rhea::hw {
namespace {

constexpr std::size_t kHeader = 36, kLength = 4, kChecksum = 9;
constexpr u64 kLargestTable = 4 * MiB;
constexpr std::size_t kMostTables = 64;

/// A header's field.
struct Field {
  std::string_view name;
  std::size_t offset, width;
  bool is_text;
};
constexpr std::array kFields = {
    Field{"sig", 0, 4, true},
    Field{"rev", 8, 1, false},
    Field{"oem_id", 10, 6, true},
    Field{"oem_table_id", 16, 8, true},
    Field{"oem_rev", 24, 4, false},
    Field{"asl_compiler_id", 28, 4, true},
    Field{"asl_compiler_rev", 32, 4, false},
};

std::vector<u8> usual_header() {
  TableWriter out;
  out.text("RHEA", 4).dword(0).byte(1).byte(0).text("RHEA", 6, ' ').text("RHEAUSER", 8);
  out.dword(1).text("RHEA", 4).dword(1);
  return out.data;
}

// The files of "a:b:c", one behind the other.
Result<> append_files(std::vector<u8>& table, std::string_view names) {
  while (true) {
    const auto colon = names.find(':');
    const std::vector<u8> part = TRY(read_file(std::string(names.substr(0, colon)), kLargestTable));
    table.insert(table.end(), part.begin(), part.end());
    if (table.size() > kLargestTable)
      return fail("the table is larger than {} bytes", kLargestTable);
    if (colon == std::string_view::npos) return {};
    names.remove_prefix(colon + 1);
  }
}

Result<> set_field(std::vector<u8>& table, const Field& field, const std::string& text) {
  TableWriter out;
  if (field.is_text) {
    if (text.size() > field.width)
      return fail("{}: '{}' has more than {} characters", field.name, text, field.width);
    out.text(text, field.width);
  } else {
    const u64 most = field.width == 1 ? 0xff : 0xffff'ffff;
    auto number = parse_unsigned(text, {.min = 0, .max = most}, false);
    if (!number) return std::unexpected(std::move(number).error().within(field.name));
    out.number(*number, static_cast<unsigned>(field.width));
  }
  std::ranges::copy(out.data, table.begin() + static_cast<std::ptrdiff_t>(field.offset));
  return {};
}

Result<> acpi_table(Machine& machine, const std::string& text) {
  auto added = machine.service<UserAcpiTables>().add(TRY(KeyValues::parse(text)));
  if (!added) return std::unexpected(std::move(added).error().within("-acpitable " + text));
  return {};
}

const RegisterOption option{
    {.name = "acpitable",
     .argument = "[sig=,rev=,oem_id=,oem_table_id=,...]file=f1[:f2]|data=f1[:f2]",
     .help = "an ACPI table for the guest: file= with its header, data= without one;\n"
             "fields: sig, rev, oem_id, oem_table_id, oem_rev, asl_compiler_id, asl_compiler_rev",
     .phase = StartPhase::Config,
     .apply = &acpi_table}};

}  // namespace

Result<> UserAcpiTables::add(KeyValues values) {
  const auto file = values.take("file"), data = values.take("data");
  if (file.has_value() == data.has_value()) return fail("needs either file= or data=");
  if (tables.size() >= kMostTables) return fail("there are {} tables already", kMostTables);
  std::vector<u8> table = file ? std::vector<u8>() : usual_header();
  TRY(append_files(table, file ? *file : *data));
  if (table.size() < kHeader)
    return fail("'{}' is no ACPI table: it has {} bytes, and its header alone {}", *file,
                table.size(), kHeader);
  for (const Field& field : kFields)
    if (const auto text = values.take(field.name)) TRY(set_field(table, field, *text));
  if (!values.empty()) return fail("unknown parameter '{}'", values.all().front().first);
  TableWriter length;
  length.dword(table.size());
  std::ranges::copy(length.data, table.begin() + kLength);
  table[kChecksum] = 0;
  table[kChecksum] = static_cast<u8>(-std::accumulate(table.begin(), table.end(), 0));
  tables.push_back(std::move(table));
  return {};
}

}  // namespace rhea::hw
