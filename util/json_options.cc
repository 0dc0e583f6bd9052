// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/json_options.h"

#include <nlohmann/json.hpp>

namespace rhea {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 32;

Result<> flatten(const Json& value, const std::string& key, KeyValues& out, int depth) {
  if (depth > kDeepest) return fail("'{}': JSON nests too deeply", key);
  const std::string inner = key.empty() ? "" : key + ".";
  switch (value.type()) {
    case Json::value_t::object:
      for (const auto& [name, member] : value.items())
        TRY(flatten(member, inner + name, out, depth + 1));
      return {};
    case Json::value_t::array:
      for (std::size_t i = 0; i < value.size(); ++i)
        TRY(flatten(value[i], inner + std::to_string(i), out, depth + 1));
      return {};
    case Json::value_t::string: out.add(key, value.get<std::string>()); return {};
    case Json::value_t::boolean: out.add(key, value.get<bool>() ? "on" : "off"); return {};
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float: out.add(key, value.dump()); return {};
    default: return fail("'{}': null is no value", key);
  }
}

}  // namespace

bool is_json_options(std::string_view text) { return text.starts_with('{'); }

Result<KeyValues> parse_json_options(std::string_view text) {
  const Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return fail("'{}' is no valid JSON", text);
  KeyValues options;
  TRY(flatten(value, "", options, 0));
  return options;
}

Result<KeyValues> parse_options(std::string_view text, std::string_view implied_key) {
  return is_json_options(text) ? parse_json_options(text) : KeyValues::parse(text, implied_key);
}

}  // namespace rhea
