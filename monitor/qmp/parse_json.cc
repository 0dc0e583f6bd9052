// SPDX-License-Identifier: GPL-2.0-or-later
// Parsing, with errors in QEMU's words.
#include "monitor/qmp/json_text.h"

#include <cctype>
#include <set>

namespace rhea::qmp {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+' || c == '.' ||
         c == '_';
}

// The word around the byte at which the parser gave up (counted from 1).
std::string_view word_at(std::string_view text, std::size_t byte) {
  std::size_t start = std::min(byte, text.size());
  while (start > 0 && in_word(text[start - 1])) --start;
  std::size_t end = start;
  while (end < text.size() && in_word(text[end])) ++end;
  return text.substr(start, end - start);
}

std::string describe(const Json::parse_error& error, std::string_view text) {
  const std::string_view what = error.what();
  if (contains(what, "ill-formed UTF-8")) return "invalid UTF-8 sequence in string";
  if (contains(what, "invalid string")) return "invalid escape sequence in string";
  if (contains(what, "invalid literal") || contains(what, "invalid number")) {
    const std::string_view word = word_at(text, error.byte == 0 ? 0 : error.byte - 1);
    const bool keyword = !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) != 0;
    return fmt::format("{} '{}'", keyword ? "invalid keyword" : "stray", word.substr(0, 64));
  }
  if (contains(what, "object separator")) return "missing : in object pair";
  if (contains(what, "object key")) return "key is not a string in object";
  if (contains(what, "parsing object")) return "expected separator in dict";
  if (contains(what, "parsing array")) return "expected separator in list";
  return "expecting value";
}

// Notes keys that come twice.
class Keys {
 public:
  bool operator()(int, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key &&
        !open_.back().insert(parsed.get_ref<const std::string&>()).second)
      twice_ = true;
    return true;
  }
  bool twice() const { return twice_; }

 private:
  std::vector<std::set<std::string>> open_;
  bool twice_{false};
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  Keys keys;
  try {
    Json value = Json::parse(text, std::ref(keys));
    if (keys.twice()) return fail("JSON parse error, duplicate key");
    return value;
  } catch (const Json::parse_error& error) {
    return fail("JSON parse error, {}", describe(error, text));
  } catch (const Json::exception&) {
    return fail("JSON parse error, number out of range");
  }
}

}  // namespace rhea::qmp
