// SPDX-License-Identifier: GPL-2.0-or-later
// JSON objects as keys and values.
#include "rhea/util/json_keyval.h"

#include "util/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace rhea {
namespace {

// How deep and how much an option may reasonably say; text from elsewhere is no reason to die.
constexpr unsigned kMaxDepth = 32;
constexpr std::size_t kMaxValues = 4096;

Result<> flatten(const Json& value, const std::string& key, unsigned depth, KeyValues& into) {
  if (depth > kMaxDepth || into.all().size() > kMaxValues)
    return fail("JSON parse error, the object is too big");
  switch (value.type()) {
    case Json::value_t::object:
      for (const auto& [name, member] : value.items())
        TRY(flatten(member, key.empty() ? name : key + "." + name, depth + 1, into));
      return {};
    case Json::value_t::array:
      for (std::size_t n = 0; n < value.size(); ++n)
        TRY(flatten(value[n], fmt::format("{}.{}", key, n), depth + 1, into));
      return {};
    case Json::value_t::string: into.add(key, value.get<std::string>()); return {};
    case Json::value_t::boolean: into.add(key, value.get<bool>() ? "on" : "off"); return {};
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float: into.add(key, value.dump()); return {};
    default: return fail("Invalid parameter type for '{}': null", key);
  }
}

// Members of the same name twice in one object, and nesting without end, end the parsing.
class Guard {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > static_cast<int>(kMaxDepth)) return fail_with("the object is nested too deeply");
    if (event == Json::parse_event_t::object_start) names_.emplace_back();
    if (event == Json::parse_event_t::object_end && !names_.empty()) names_.pop_back();
    if (event == Json::parse_event_t::key && !names_.empty()) {
      auto name = parsed.get<std::string>();
      if (std::ranges::find(names_.back(), name) != names_.back().end())
        return fail_with(fmt::format("duplicate key '{}'", name));
      names_.back().push_back(std::move(name));
    }
    return true;
  }
  const std::string& problem() const { return problem_; }

 private:
  bool fail_with(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
    return false;
  }
  std::vector<std::vector<std::string>> names_;
  std::string problem_;
};

}  // namespace

Result<KeyValues> keyval_from_json(std::string_view text) {
  Guard guard;
  const Json parsed = Json::parse(text, std::ref(guard), false);
  if (!guard.problem().empty()) return fail("JSON parse error, {}", guard.problem());
  if (parsed.is_discarded()) return fail("JSON parse error in '{}'", text);
  if (!parsed.is_object()) return fail("a JSON object is expected, not '{}'", text);
  KeyValues values;
  TRY(flatten(parsed, {}, 0, values));
  return values;
}

Result<KeyValues> parse_json_or_keyval(std::string_view text, std::string_view implied_key,
                                       Words words) {
  return is_json(text) ? keyval_from_json(text) : KeyValues::parse(text, implied_key, words);
}

}  // namespace rhea
