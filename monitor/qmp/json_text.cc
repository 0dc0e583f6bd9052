// SPDX-License-Identifier: GPL-2.0-or-later
// JSON values as QMP writes them.
#include "monitor/qmp/json_text.h"

namespace rhea::qmp {
namespace {

void append(std::string& out, const Json& value);

void append_array(std::string& out, const Json& value) {
  out += '[';
  bool first = true;
  for (const Json& element : value) {
    if (!std::exchange(first, false)) out += ", ";
    append(out, element);
  }
  out += ']';
}

void append_object(std::string& out, const Json& value) {
  out += '{';
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    if (!std::exchange(first, false)) out += ", ";
    out += quoted_text(key);
    out += ": ";
    append(out, member);
  }
  out += '}';
}

// As deep as the value; what clients send is at most 1024 deep.
void append(std::string& out, const Json& value) {
  if (value.is_object())
    append_object(out, value);
  else if (value.is_array())
    append_array(out, value);
  else
    out += value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

std::string quoted_text(std::string_view text) {
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string to_text(const Json& value, bool pretty) {
  if (pretty) return value.dump(4, ' ', true, Json::error_handler_t::replace);
  std::string out;
  append(out, value);
  return out;
}

Json to_json(const Value& value) {
  switch (value.index()) {
    case 1: return std::get<bool>(value);
    case 2: return std::get<i64>(value);
    case 3: return std::get<u64>(value);
    case 4: return std::get<std::string>(value);
    default: return nullptr;
  }
}

Result<Value> to_value(const Json& json) {
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_unsigned()) return Value(json.get<u64>());
  if (json.is_number_integer()) return Value(json.get<i64>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (json.is_null()) return Value();
  return fail("a string, a number or a boolean is expected, not {}", json.type_name());
}

}  // namespace rhea::qmp
