// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the ends of JSON messages in a stream of any bytes.
#include "monitor/qmp/framer.h"

#include <utility>

namespace rhea::qmp {
namespace {

constexpr std::size_t kMaxText = 8 * MiB;
constexpr u32 kMaxTokens = 256u << 10;
constexpr int kMaxDepth = 1024;
constexpr std::size_t kMaxQuoted = 64;  // of a broken token, in the error
constexpr std::size_t kKeepCapacity = 1 * MiB;

bool is_blank(u8 c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_structural(u8 c) {
  return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':';
}
// Of numbers and keywords. Which of these words are JSON the parser knows.
bool is_word(u8 c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '+' || c == '.' || c == '_';
}
// Where a stream with a broken token goes on.
bool ends_recovery(u8 c) { return c < 0x20 || c >= 0xfe || is_structural(c); }

}  // namespace

void Framer::feed(std::span<const u8> data, const Sink& sink) {
  for (const u8 byte : data) take(byte, sink);
}

void Framer::reset() {
  state_ = State::Start;
  braces_ = brackets_ = 0;
  tokens_ = 0;
  token_start_ = 0;
  if (text_.capacity() > kKeepCapacity) text_ = {};
  text_.clear();
}

void Framer::take(u8 byte, const Sink& sink) {
  if (text_.size() >= kMaxText) give_up("JSON token size limit exceeded", sink);
  switch (state_) {
    case State::Start: return start(byte, sink);
    case State::Word:
      if (is_word(byte)) {
        text_ += static_cast<char>(byte);
        return;
      }
      end_word(sink);
      return start(byte, sink);
    case State::Text: return in_text(byte, sink);
    case State::Escape: return escape(byte, sink);
    case State::Recovery:
      if (!ends_recovery(byte)) return;
      state_ = State::Start;
      // 0xfe and 0xff occur in no text; some clients send one to end what went before.
      return byte >= 0xfe ? void() : start(byte, sink);
  }
}

void Framer::start(u8 byte, const Sink& sink) {
  token_start_ = text_.size();
  if (is_blank(byte)) {
    if (!text_.empty()) text_ += ' ';
  } else if (is_structural(byte)) {
    structural(byte, sink);
  } else if (byte == '"' || byte == '\'') {
    quote_ = byte;
    text_ += '"';
    state_ = State::Text;
  } else if (is_word(byte)) {
    text_ += static_cast<char>(byte);
    state_ = State::Word;
  } else {
    text_ += static_cast<char>(byte);
    stray(std::string_view(text_).substr(token_start_), sink);
  }
}

void Framer::structural(u8 byte, const Sink& sink) {
  text_ += static_cast<char>(byte);
  if (byte == '{') ++braces_;
  if (byte == '}') --braces_;
  if (byte == '[') ++brackets_;
  if (byte == ']') --brackets_;
  end_token(sink);
}

void Framer::in_text(u8 byte, const Sink& sink) {
  if (byte < 0x20 || byte >= 0xfe) {
    text_ += static_cast<char>(byte);
    return stray(std::string_view(text_).substr(token_start_), sink);
  }
  if (byte == '\\') {
    state_ = State::Escape;
    return;
  }
  if (byte == quote_) {
    text_ += '"';
    state_ = State::Start;
    return end_token(sink);
  }
  if (byte == '"') text_ += '\\';
  text_ += static_cast<char>(byte);
}

void Framer::escape(u8 byte, const Sink& sink) {
  state_ = State::Text;
  if (byte < 0x20 || byte >= 0xfe) return in_text(byte, sink);
  if (byte != '\'') text_ += '\\';
  text_ += static_cast<char>(byte);
}

void Framer::end_word(const Sink& sink) {
  state_ = State::Start;
  end_token(sink);
}

void Framer::end_token(const Sink& sink) {
  if (++tokens_ > kMaxTokens) return give_up("JSON token count limit exceeded", sink);
  if (braces_ + brackets_ > kMaxDepth) return give_up("JSON nesting depth limit exceeded", sink);
  const bool open = (braces_ > 0 || brackets_ > 0) && braces_ >= 0 && brackets_ >= 0;
  if (open) return;
  const std::string message = std::exchange(text_, {});
  reset();
  sink(std::string_view(message));
}

void Framer::stray(std::string_view token, const Sink& sink) {
  const std::string error =
      fmt::format("JSON parse error, stray '{}'", token.substr(0, kMaxQuoted));
  reset();
  state_ = State::Recovery;
  sink(std::unexpected(Error(error)));
}

void Framer::give_up(std::string_view why, const Sink& sink) {
  reset();
  sink(std::unexpected(Error(std::string(why))));
}

}  // namespace rhea::qmp
