// SPDX-License-Identifier: GPL-2.0-or-later
// A small line editor for terminals: echo, cursor keys, history, completion.
#pragma once

#include "rhea/util/types.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::hmp {

/// Fed with what the terminal sends; what it should show comes back through `show`, finished lines
/// through `line`.
class LineEditor {
 public:
  struct Hooks {
    std::function<void(std::string_view)> show;
    std::function<void(const std::string&)> line;
    std::function<std::vector<std::string>(std::string_view)> complete;
  };
  LineEditor(std::string_view prompt, std::vector<std::string>& history, Hooks hooks)
      : prompt_(prompt), history_(&history), hooks_(std::move(hooks)) {}

  void feed(u8 byte);
  void show_prompt();
  /// Forgets the line begun.
  void reset();
  const std::string& text() const { return line_; }

 private:
  enum class Escape : u8 { None, Started, Bracket, Digit };

  void control(u8 byte);
  void escape(u8 byte);
  void cursor_key(u8 byte);
  void insert(u8 byte);
  void finish();
  void remember();
  void complete();
  void list(const std::vector<std::string>& names);
  void replace(std::string text);
  void recall(int direction);
  void move_to(std::size_t cursor);
  void erase(std::size_t from, std::size_t to);
  void erase_word();
  void redraw_from(std::size_t from);

  std::string_view prompt_;
  std::vector<std::string>* history_;
  Hooks hooks_;
  std::string line_;
  std::string draft_;  ///< the line begun, while history is looked at
  std::size_t cursor_{0};
  std::size_t recalled_{0};  ///< index in history, its size for the draft
  Escape escape_{Escape::None};
  u8 digit_{0};
  bool after_return_{false};
};

}  // namespace rhea::hmp
