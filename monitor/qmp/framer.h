// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the ends of JSON messages in a stream of any bytes.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rhea::qmp {

/// Cuts a stream into texts that a JSON parser can take: one per balanced object or array, one per
/// scalar outside them. It also turns QEMU's single-quoted strings into JSON's. Bytes that no JSON
/// text can hold give an error, and the stream goes on at the next structural character or line, as
/// QEMU's does. Memory is bounded: 8 MiB of text, 262,144 tokens, 1024 levels a message.
class Framer {
 public:
  using Sink = std::function<void(Result<std::string_view>)>;

  void feed(std::span<const u8> data, const Sink& sink);
  /// Forgets the message begun (a new client).
  void reset();
  std::size_t buffered() const { return text_.size(); }

 private:
  enum class State : u8 { Start, Word, Text, Escape, Recovery };

  void take(u8 byte, const Sink& sink);
  void start(u8 byte, const Sink& sink);
  void structural(u8 byte, const Sink& sink);
  void in_text(u8 byte, const Sink& sink);
  void escape(u8 byte, const Sink& sink);
  void end_word(const Sink& sink);
  void end_token(const Sink& sink);
  void stray(std::string_view token, const Sink& sink);
  void give_up(std::string_view why, const Sink& sink);

  State state_{State::Start};
  u8 quote_{};
  int braces_{0};
  int brackets_{0};
  u32 tokens_{0};
  std::size_t token_start_{0};
  std::string text_;
};

}  // namespace rhea::qmp
