// SPDX-License-Identifier: GPL-2.0-or-later
// -smbios: fields of the usual structures, and whole structures from files.
#include "hw/i386/smbios_option.h"

#include "rhea/softmmu/firmware.h"
#include "rhea/util/option.h"
#include "softmmu/uuid_option.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

constexpr u64 kLargestFile = 64 * KiB;
constexpr unsigned kPorts = 8, kOemStrings = 11, kSlots = 41, kEndOfTable = 127;

enum class Kind : u8 { Text, Byte, Word, Flag, Release, Uuid };

struct Field {
  unsigned type;
  std::string_view name;
  Kind kind{Kind::Text};
};

constexpr std::array kFields = {
    Field{0, "vendor"},
    Field{0, "version"},
    Field{0, "date"},
    Field{0, "release", Kind::Release},
    Field{0, "uefi", Kind::Flag},
    Field{1, "manufacturer"},
    Field{1, "product"},
    Field{1, "version"},
    Field{1, "serial"},
    Field{1, "uuid", Kind::Uuid},
    Field{1, "sku"},
    Field{1, "family"},
    Field{2, "manufacturer"},
    Field{2, "product"},
    Field{2, "version"},
    Field{2, "serial"},
    Field{2, "asset"},
    Field{2, "location"},
    Field{3, "manufacturer"},
    Field{3, "version"},
    Field{3, "serial"},
    Field{3, "asset"},
    Field{3, "sku"},
    Field{4, "sock_pfx"},
    Field{4, "manufacturer"},
    Field{4, "version"},
    Field{4, "serial"},
    Field{4, "asset"},
    Field{4, "part"},
    Field{4, "max-speed", Kind::Word},
    Field{4, "current-speed", Kind::Word},
    Field{kPorts, "internal_reference"},
    Field{kPorts, "external_reference"},
    Field{kPorts, "connector_type", Kind::Byte},
    Field{kPorts, "port_type", Kind::Byte},
    Field{17, "loc_pfx"},
    Field{17, "bank"},
    Field{17, "manufacturer"},
    Field{17, "serial"},
    Field{17, "asset"},
    Field{17, "part"},
    Field{17, "speed", Kind::Word},
    Field{kSlots, "designation"},
    Field{kSlots, "kind"},
    Field{kSlots, "instance", Kind::Byte},
    Field{kSlots, "pcidev"},
};

// "major.minor", a byte each.
bool is_release(const std::string& text) {
  const auto dot = text.find('.');
  return dot != std::string::npos &&
         parse_unsigned(text.substr(0, dot), {.min = 0, .max = 255}, false).has_value() &&
         parse_unsigned(text.substr(dot + 1), {.min = 0, .max = 255}, false).has_value();
}

Result<> check(const Field& field, const std::string& text) {
  switch (field.kind) {
    case Kind::Text: return {};
    case Kind::Byte:
    case Kind::Word: {
      const u64 most = field.kind == Kind::Byte ? 255 : 65535;
      auto number = parse_unsigned(text, {.min = 0, .max = most}, false);
      if (!number) return std::unexpected(std::move(number).error().within(field.name));
      return {};
    }
    case Kind::Flag: {
      auto flag = parse_bool(text);
      if (!flag) return std::unexpected(std::move(flag).error().within(field.name));
      return {};
    }
    case Kind::Release:
      if (is_release(text)) return {};
      return fail("release: '{}' is no MAJOR.MINOR of bytes", text);
    case Kind::Uuid:
      if (MachineUuid::parse(text)) return {};
      return fail("uuid: '{}' is no UUID", text);
  }
  return {};
}

bool has_fields(unsigned type) {
  return std::ranges::find(kFields, type, &Field::type) != kFields.end();
}

Result<> smbios(Machine& machine, const std::string& text) {
  auto& options = machine.service<SmbiosOptions>();
  KeyValues values = TRY(KeyValues::parse(text));
  const std::string* uuid = values.find("uuid");
  const auto parsed = uuid != nullptr ? MachineUuid::parse(*uuid) : std::nullopt;
  if (auto added = options.add(std::move(values)); !added)
    return std::unexpected(std::move(added).error().within("-smbios " + text));
  if (parsed) machine.service<MachineUuid>().given = parsed;
  return {};
}

const RegisterOption option{
    {.name = "smbios",
     .argument = "type=n,field=value...|file=file",
     .help = "SMBIOS: type=0,vendor=,version=,date=,release=,uefi=; type=1,manufacturer=,\n"
             "product=,version=,serial=,uuid=,sku=,family=; type=2, 3, 4, 8, 17, 41 and their\n"
             "fields; type=11,value=,path=; or a whole structure from a file",
     .phase = StartPhase::Config,
     .apply = &smbios}};

}  // namespace

Result<> SmbiosOptions::add(KeyValues values) {
  if (const auto file = values.take("file")) {
    if (!values.empty()) return fail("unknown parameter '{}' beside file=", values.all()[0].first);
    return add_file(*file);
  }
  const auto type_text = values.take("type");
  if (!type_text) return fail("needs file= or type=");
  const auto type =
      static_cast<unsigned>(TRY(parse_unsigned(*type_text, {.min = 0, .max = 255}, false)));
  if (type == kOemStrings) return add_oem_strings(values);
  if (!has_fields(type)) return fail("don't know how to build fields for SMBIOS type {}", type);
  if (structures.contains(type))
    return fail("a structure of type {} came from a file already", type);
  Fields given;
  for (const auto& [key, value] : values.all()) {
    const auto field = std::ranges::find_if(
        kFields, [&](const Field& f) { return f.type == type && f.name == key; });
    if (field == kFields.end()) return fail("type {} has no field '{}'", type, key);
    TRY(check(*field, value));
    given[key] = value;
  }
  if (type == kPorts)
    ports.push_back(std::move(given));
  else if (type == kSlots)
    slots.push_back(std::move(given));
  else
    for (auto& [key, value] : given) fields[type][key] = value;
  if (type <= 4 || type == 17) fields.try_emplace(type);
  return {};
}

Result<> SmbiosOptions::add_oem_strings(const KeyValues& values) {
  for (const auto& [key, value] : values.all()) {
    if (key == "value") {
      oem_strings.push_back(value);
    } else if (key == "path") {
      const std::vector<u8> text = TRY(read_file(value, kLargestFile));
      if (std::ranges::find(text, u8{0}) != text.end())
        return fail("path: '{}' has zero bytes in it", value);
      oem_strings.emplace_back(text.begin(), text.end());
    } else {
      return fail("type {} has no field '{}'", kOemStrings, key);
    }
    if (oem_strings.size() > 255) return fail("more than 255 OEM strings");
  }
  return {};
}

Result<> SmbiosOptions::add_file(const std::string& path) {
  std::vector<u8> structure = TRY(read_file(path, kLargestFile));
  constexpr std::size_t kHeader = 4;
  if (structure.size() < kHeader || structure[1] < kHeader || structure[1] > structure.size())
    return fail("'{}' is no SMBIOS structure", path);
  const unsigned type = structure[0];
  if (type == kEndOfTable) return fail("'{}': the end of the table is not for files", path);
  if (has(type)) return fail("'{}': fields of type {} are specified already", path, type);
  // A structure ends with its strings and a zero; without strings with two.
  while (structure.size() < structure[1] + std::size_t{2} || structure.back() != 0 ||
         *(structure.end() - 2) != 0)
    structure.push_back(0);
  structures[type].push_back(std::move(structure));
  return {};
}

std::string SmbiosOptions::text(unsigned type, std::string_view field,
                                std::string_view usual) const {
  const auto group = fields.find(type);
  if (group == fields.end()) return std::string(usual);
  const auto found = group->second.find(field);
  return found == group->second.end() ? std::string(usual) : found->second;
}

u64 SmbiosOptions::number(unsigned type, std::string_view field, u64 usual) const {
  return parse_unsigned(text(type, field), {}, false).value_or(usual);
}

}  // namespace rhea::hw
