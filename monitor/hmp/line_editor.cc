// SPDX-License-Identifier: GPL-2.0-or-later
// A small line editor for terminals.
#include "monitor/hmp/line_editor.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhea::hmp {
namespace {

constexpr std::size_t kMaxLine = 4095;
constexpr std::size_t kMaxHistory = 64;

constexpr u8 control_key(char letter) { return static_cast<u8>(letter & 0x1f); }

}  // namespace

void LineEditor::show_prompt() { hooks_.show(std::string(prompt_) + line_); }

void LineEditor::reset() {
  line_.clear();
  draft_.clear();
  cursor_ = 0;
  recalled_ = history_->size();
  escape_ = Escape::None;
  after_return_ = false;
}

void LineEditor::feed(u8 byte) {
  const bool pair = after_return_ && byte == '\n';
  after_return_ = byte == '\r';
  if (pair) return;
  if (escape_ != Escape::None) return escape(byte);
  if (byte == 0x1b)
    escape_ = Escape::Started;
  else if (byte < 0x20 || byte == 0x7f)
    control(byte);
  else
    insert(byte);
}

void LineEditor::control(u8 byte) {
  switch (byte) {
    case '\r':
    case '\n': return finish();
    case '\t': return complete();
    case 0x08:
    case 0x7f:
      if (cursor_ > 0) erase(cursor_ - 1, cursor_);
      return;
    case control_key('A'): return move_to(0);
    case control_key('B'): return move_to(cursor_ - std::min<std::size_t>(cursor_, 1));
    case control_key('D'): return erase(cursor_, std::min(cursor_ + 1, line_.size()));
    case control_key('E'): return move_to(line_.size());
    case control_key('F'): return move_to(std::min(cursor_ + 1, line_.size()));
    case control_key('K'): return erase(cursor_, line_.size());
    case control_key('N'): return recall(1);
    case control_key('P'): return recall(-1);
    case control_key('U'): return erase(0, cursor_);
    case control_key('W'): return erase_word();
    default: return;
  }
}

// ESC [ A and the like; ESC O A from some terminals; ESC [ 3 ~ with a digit.
void LineEditor::escape(u8 byte) {
  switch (escape_) {
    case Escape::Started:
      escape_ = byte == '[' || byte == 'O' ? Escape::Bracket : Escape::None;
      return;
    case Escape::Bracket:
      if (byte >= '0' && byte <= '9') {
        digit_ = byte;
        escape_ = Escape::Digit;
        return;
      }
      escape_ = Escape::None;
      return cursor_key(byte);
    case Escape::Digit:
      if (byte >= '0' && byte <= '9') return;
      escape_ = Escape::None;
      if (byte == '~') cursor_key(digit_);
      return;
    case Escape::None: return;
  }
}

void LineEditor::cursor_key(u8 byte) {
  switch (byte) {
    case 'A': return recall(-1);
    case 'B': return recall(1);
    case 'C': return move_to(std::min(cursor_ + 1, line_.size()));
    case 'D': return move_to(cursor_ - std::min<std::size_t>(cursor_, 1));
    case 'F':
    case '4': return move_to(line_.size());
    case 'H':
    case '1': return move_to(0);
    case '3': return erase(cursor_, std::min(cursor_ + 1, line_.size()));
    default: return;
  }
}

void LineEditor::insert(u8 byte) {
  if (line_.size() >= kMaxLine) return;
  line_.insert(cursor_, 1, static_cast<char>(byte));
  ++cursor_;
  if (cursor_ == line_.size())
    hooks_.show(std::string_view(line_).substr(cursor_ - 1));
  else
    redraw_from(cursor_ - 1);
}

void LineEditor::finish() {
  hooks_.show("\r\n");
  remember();
  const std::string line = line_;
  const bool returned = after_return_;
  reset();
  after_return_ = returned;
  hooks_.line(line);
}

void LineEditor::remember() {
  if (line_.empty()) return;
  std::erase(*history_, line_);
  history_->push_back(line_);
  if (history_->size() > kMaxHistory) history_->erase(history_->begin());
}

void LineEditor::complete() {
  if (cursor_ != line_.size()) return;
  const std::vector<std::string> names = hooks_.complete(line_);
  if (names.empty()) return;
  std::string common = names.front();
  for (const std::string& name : names) {
    const auto [end, ignored] = std::ranges::mismatch(common, name);
    common.erase(end, common.end());
  }
  const auto blank = line_.rfind(' ');
  const std::size_t start = blank == std::string::npos ? 0 : blank + 1;
  const std::size_t typed = line_.size() - start;
  if (names.size() > 1 && common.size() <= typed) return list(names);
  for (const char c : common.substr(std::min(typed, common.size()))) insert(static_cast<u8>(c));
  if (names.size() == 1) insert(' ');
}

void LineEditor::list(const std::vector<std::string>& names) {
  std::string text = "\r\n";
  for (const std::string& name : names) text += name + "\r\n";
  hooks_.show(text);
  show_prompt();
}

void LineEditor::recall(int direction) {
  if (direction < 0 && recalled_ == 0) return;
  if (direction > 0 && recalled_ >= history_->size()) return;
  if (recalled_ >= history_->size()) draft_ = line_;
  recalled_ = std::min(recalled_, history_->size());
  recalled_ = direction < 0 ? recalled_ - 1 : recalled_ + 1;
  replace(recalled_ == history_->size() ? draft_ : (*history_)[recalled_]);
}

void LineEditor::replace(std::string text) {
  move_to(0);
  line_ = std::move(text);
  cursor_ = line_.size();
  hooks_.show("\x1b[K" + line_);
}

void LineEditor::move_to(std::size_t cursor) {
  if (cursor < cursor_) hooks_.show(fmt::format("\x1b[{}D", cursor_ - cursor));
  if (cursor > cursor_) hooks_.show(fmt::format("\x1b[{}C", cursor - cursor_));
  cursor_ = cursor;
}

void LineEditor::erase(std::size_t from, std::size_t to) {
  move_to(from);
  line_.erase(from, to - from);
  redraw_from(from);
}

void LineEditor::erase_word() {
  std::size_t from = cursor_;
  while (from > 0 && line_[from - 1] == ' ') --from;
  while (from > 0 && line_[from - 1] != ' ') --from;
  erase(from, cursor_);
}

// Shows the line from `from`, where the terminal's cursor is, and goes back to the cursor's place.
void LineEditor::redraw_from(std::size_t from) {
  std::string text = line_.substr(from) + "\x1b[K";
  if (line_.size() > cursor_) text += fmt::format("\x1b[{}D", line_.size() - cursor_);
  hooks_.show(text);
}

}  // namespace rhea::hmp
