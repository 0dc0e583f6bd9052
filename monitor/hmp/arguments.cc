// SPDX-License-Identifier: GPL-2.0-or-later
// Reading a command line's arguments one after the other.
#include "monitor/hmp/arguments.h"

#include "monitor/hmp/expression.h"

#include <cctype>

namespace rhea::hmp {

std::unexpected<Error> Arguments::wrong(std::string message) {
  syntax_error_ = true;
  return std::unexpected(Error(std::move(message)));
}

void Arguments::skip_blanks() {
  while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_[0])) != 0)
    text_.remove_prefix(1);
}

bool Arguments::at_end() {
  skip_blanks();
  return text_.empty();
}

Result<u64> Arguments::number() {
  auto value = take_expression(text_, registers_);
  if (!value) return wrong(value.error().message());
  return value;
}

Result<std::optional<u64>> Arguments::optional_number() {
  if (at_end()) return std::nullopt;
  return TRY(number());
}

Result<std::string> Arguments::text(std::string_view what) {
  if (at_end()) return wrong(fmt::format("{}: {} expected", command_, what));
  if (text_[0] == '"') return quoted_text(what);
  std::size_t length = 0;
  while (length < text_.size() && std::isspace(static_cast<unsigned char>(text_[length])) == 0)
    ++length;
  std::string word(text_.substr(0, length));
  text_.remove_prefix(length);
  return word;
}

Result<std::string> Arguments::quoted_text(std::string_view what) {
  std::string value;
  std::size_t i = 1;
  for (; i < text_.size() && text_[i] != '"'; ++i) {
    if (text_[i] != '\\') {
      value += text_[i];
      continue;
    }
    if (++i == text_.size()) break;
    const char escaped = text_[i];
    if (escaped != 'n' && escaped != 'r' && escaped != '\\' && escaped != '\'' && escaped != '"')
      return wrong(
          fmt::format("unsupported escape code: '\\{}'\n{}: {} expected", escaped, command_, what));
    value += escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped;
  }
  if (i >= text_.size())
    return wrong(fmt::format("unterminated string\n{}: {} expected", command_, what));
  text_.remove_prefix(i + 1);
  return value;
}

Result<std::optional<std::string>> Arguments::optional_text() {
  if (at_end()) return std::nullopt;
  return TRY(text());
}

bool Arguments::flag(char c) {
  skip_blanks();
  const bool found = text_.size() >= 2 && text_[0] == '-' && text_[1] == c &&
                     (text_.size() == 2 || std::isspace(static_cast<unsigned char>(text_[2])) != 0);
  if (found) text_.remove_prefix(2);
  return found;
}

Result<std::optional<std::string>> Arguments::flag_text(char c) {
  if (!flag(c)) return std::nullopt;
  return TRY(text());
}

Result<MemoryFormat> Arguments::format(MemoryFormat defaults) {
  MemoryFormat format = defaults;
  format.count = 1;
  skip_blanks();
  if (!text_.starts_with('/')) {
    if (format.letter == 'i') format.size = -1;
    return format;
  }
  text_.remove_prefix(1);
  u64 count = 0;
  bool counted = false;
  for (; !text_.empty() && std::isdigit(static_cast<unsigned char>(text_[0])) != 0;
       text_.remove_prefix(1)) {
    counted = true;
    count = std::min<u64>(count * 10 + static_cast<u64>(text_[0] - '0'), 1u << 30);
  }
  if (counted) format.count = static_cast<unsigned>(count);
  bool sized = false;
  for (; !text_.empty() && std::isspace(static_cast<unsigned char>(text_[0])) == 0;
       text_.remove_prefix(1)) {
    const char c = text_[0];
    constexpr std::string_view kSizes = "bhwg";
    if (const auto place = kSizes.find(c == 'L' ? 'g' : c); place != std::string_view::npos) {
      format.size = 1 << place;
      sized = true;
    } else if (std::string_view("ocduxi").find(c) != std::string_view::npos) {
      format.letter = c;
    } else {
      return wrong(fmt::format("invalid char in format: '{}'", c));
    }
  }
  if (format.letter == 'i' && !sized) format.size = -1;
  return format;
}

std::string_view Arguments::rest() {
  skip_blanks();
  return std::exchange(text_, {});
}

Result<> Arguments::end() {
  if (at_end()) return {};
  return wrong(fmt::format("{}: extraneous characters at the end of line", command_));
}

}  // namespace rhea::hmp
