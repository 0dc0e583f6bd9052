// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/keyval.h"

#include "rhea/util/known_names.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea {
namespace {

// Splits at single commas; doubled ones stand for themselves.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      parts.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      parts.back() += ',';
      ++i;
    } else {
      parts.emplace_back();
    }
  }
  return parts;
}

}  // namespace

Result<KeyValues> KeyValues::parse(std::string_view text, std::string_view implied_key,
                                   Words words) {
  KeyValues result;
  bool first = true;
  for (std::string& part : split(text)) {
    const auto equals = part.find('=');
    if (part.empty()) {
      if (!first || text.empty()) {
        first = false;
        continue;
      }
    }
    if (equals == 0) return fail("parameter without a name in '{}'", text);
    if (equals != std::string::npos)
      result.add(part.substr(0, equals), part.substr(equals + 1));
    else if (first && !implied_key.empty())
      result.add(std::string(implied_key), std::move(part));
    else if (!part.empty())
      TRY(result.add_word(std::move(part), words));
    first = false;
  }
  return result;
}

Result<> KeyValues::add_word(std::string word, Words words) {
  const bool help = word == "help" || word == "?";
  if (words == Words::Required && !help) return fail("Expected '=' after parameter '{}'", word);
  const bool may_negate = words == Words::Flags || words == Words::QuietFlags;
  if (help || !may_negate) {
    add(std::move(word), "on");
    return {};
  }
  const bool negated = word.starts_with("no");
  std::string key = negated ? word.substr(2) : word;
  if (key.empty()) return fail("parameter 'no' names nothing to switch off");
  if (words == Words::Flags)
    report_warning(fmt::format("short-form boolean option '{}' deprecated: please use {} instead",
                               word,
                               key == "delay" ? fmt::format("nodelay={}", negated ? "on" : "off")
                                              : fmt::format("{}={}", key, negated ? "off" : "on")));
  add(std::move(key), negated ? "off" : "on");
  return {};
}

const std::string* KeyValues::find(std::string_view key) const {
  for (auto it = all_.rbegin(); it != all_.rend(); ++it)
    if (it->first == key) return &it->second;
  return nullptr;
}

std::optional<std::string> KeyValues::take(std::string_view key) {
  taken_.emplace_back(key);
  const std::string* found = find(key);
  if (found == nullptr) return std::nullopt;
  std::string value = *found;
  std::erase_if(all_, [&](const auto& entry) { return entry.first == key; });
  return value;
}

Result<bool> KeyValues::take_bool(std::string_view key, bool default_value) {
  const auto value = take(key);
  if (!value) return default_value;
  if (*value == "on" || *value == "yes" || *value == "true") return true;
  if (*value == "off" || *value == "no" || *value == "false") return false;
  return fail("parameter '{}' expects 'on' or 'off', not '{}'", key, *value);
}

Result<> KeyValues::expect_empty(std::string_view option) const {
  if (all_.empty()) return {};
  return fail("{}",
              with_remark(fmt::format("{}: unknown parameter '{}'", option, all_.front().first),
                          about_first(option)));
}

std::string KeyValues::about_first(std::string_view option) const {
  if (all_.empty()) return {};
  return about_unknown_parameter(option, all_.front().first, {taken_.begin(), taken_.end()});
}

bool is_identifier(std::string_view text) {
  constexpr std::string_view kInner =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  return !text.empty() && kInner.substr(0, 52).find(text[0]) != std::string_view::npos &&
         text.find_first_not_of(kInner) == std::string_view::npos;
}

}  // namespace rhea
