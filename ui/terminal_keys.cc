// SPDX-License-Identifier: GPL-2.0-or-later
// The terminal's key codes.
#include "ui/terminal_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace rhea::ui {
namespace {

constexpr KeyNumber kEscape = 0x01, kBackspace = 0x0e, kTab = 0x0f, kEnter = 0x1c, kControl = 0x1d,
                    kShift = 0x2a, kAlt = 0x38, kSpace = 0x39, kDelete = 0xd3, kKeypadEnter = 0x9c;
constexpr char kCommandPrefix = 0x1d;  // Ctrl-]
constexpr std::size_t kLongestSequence = 24;

// A character's place is its key's number; blanks are other keys.
constexpr std::string_view kPlain = "  1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./";
constexpr std::string_view kShifted = "  !@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?";
static_assert(kPlain.size() == 0x36 && kShifted.size() == kPlain.size());

struct FinalKey {
  char final;
  KeyNumber key;
};
/// ESC [ … letter and ESC O letter.
constexpr std::array<FinalKey, 15> kLetters = {{{'A', 0xc8},
                                                {'B', 0xd0},
                                                {'C', 0xcd},
                                                {'D', 0xcb},
                                                {'E', 0x4c},
                                                {'F', 0xcf},
                                                {'H', 0xc7},
                                                {'M', kKeypadEnter},
                                                {'P', 0x3b},
                                                {'Q', 0x3c},
                                                {'R', 0x3d},
                                                {'S', 0x3e},
                                                {'Z', kTab},
                                                {'j', 0x37},
                                                {'k', 0x4e}}};
struct NumberKey {
  unsigned number;
  KeyNumber key;
};
/// ESC [ number ~
constexpr std::array<NumberKey, 20> kNumbers = {
    {{1, 0xc7},  {2, 0xd2},  {3, kDelete}, {4, 0xcf},  {5, 0xc9},  {6, 0xd1},  {7, 0xc7},
     {8, 0xcf},  {11, 0x3b}, {12, 0x3c},   {13, 0x3d}, {14, 0x3e}, {15, 0x3f}, {17, 0x40},
     {18, 0x41}, {19, 0x42}, {20, 0x43},   {21, 0x44}, {23, 0x57}, {24, 0x58}}};
constexpr KeyNumber kF1 = 0x3b;

/// The modifier parameter of xterm: 1 + shift + 2 * alt + 4 * control.
std::vector<KeyNumber> modified(unsigned parameter, KeyNumber key) {
  std::vector<KeyNumber> keys;
  const unsigned bits = parameter >= 1 && parameter <= 8 ? parameter - 1 : 0;
  if ((bits & 4) != 0) keys.push_back(kControl);
  if ((bits & 2) != 0) keys.push_back(kAlt);
  if ((bits & 1) != 0) keys.push_back(kShift);
  keys.push_back(key);
  return keys;
}

std::vector<KeyNumber> character_keys(char c) {
  switch (c) {
    case '\0': return {kControl, kSpace};
    case '\b':
    case 0x7f: return {kBackspace};
    case '\t': return {kTab};
    case '\n':
    case '\r': return {kEnter};
    case 0x1b: return {kEscape};
    case ' ': return {kSpace};
    default: break;
  }
  if (c > 0 && c < ' ') {
    // Control characters are the keys 0x40 above them.
    std::vector<KeyNumber> keys = character_keys(static_cast<char>(c <= 26 ? c + 0x60 : c + 0x40));
    if (!keys.empty()) keys.insert(keys.begin(), kControl);
    return keys;
  }
  if (const auto plain = kPlain.find(c); plain != std::string_view::npos)
    return {static_cast<KeyNumber>(plain)};
  if (const auto shifted = kShifted.find(c); shifted != std::string_view::npos)
    return {kShift, static_cast<KeyNumber>(shifted)};
  return {};
}

/// Numbers between semicolons; absent ones are 0.
std::array<unsigned, 2> parameters(std::string_view text) {
  std::array<unsigned, 2> values{};
  for (unsigned& value : values) {
    const auto end = std::min(text.find(';'), text.size());
    const std::string_view number = text.substr(0, end);
    std::from_chars(number.begin(), number.end(), value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

std::vector<KeyNumber> letter_keys(char final, unsigned modifiers) {
  const auto found = std::ranges::find(kLetters, final, &FinalKey::final);
  if (found == kLetters.end()) return {};
  return modified(final == 'Z' ? 2 : modifiers, found->key);
}

std::vector<KeyNumber> sequence_keys(std::string_view sequence) {
  const char final = sequence.back();
  // The Linux console's F1 to F5 are ESC [ [ A to E.
  if (sequence.starts_with("\x1b[["))
    return final >= 'A' && final <= 'E' ? std::vector{static_cast<KeyNumber>(kF1 + (final - 'A'))}
                                        : std::vector<KeyNumber>{};
  const auto [first, second] = parameters(sequence.substr(2, sequence.size() - 3));
  if (final != '~') return letter_keys(final, std::max(second, sequence[1] == 'O' ? first : 0U));
  const auto found = std::ranges::find(kNumbers, first, &NumberKey::number);
  return found == kNumbers.end() ? std::vector<KeyNumber>{} : modified(second, found->key);
}

bool is_final(char c) { return c >= 0x40 && c <= 0x7e; }

}  // namespace

// Looks at what is pending; Done empties it.
TerminalKeys::Verdict TerminalKeys::parse(const std::function<void(const Typed&)>& typed) {
  const auto emit = [&](std::vector<KeyNumber> keys) {
    if (!keys.empty()) typed({.keys = std::move(keys)});
    return Verdict::Done;
  };
  const char first = pending_[0];
  if ((first & 0x80) != 0) {
    // Characters beyond ASCII have no key on a US keyboard: skip their bytes.
    const auto lead = static_cast<u8>(first);
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return pending_.size() < length ? Verdict::Incomplete : Verdict::Done;
  }
  if (first != 0x1b) return emit(character_keys(first));
  if (pending_.size() == 1) return Verdict::Incomplete;
  const char second = pending_[1];
  if (second != '[' && second != 'O') {
    auto keys = character_keys(second);
    if (!keys.empty()) keys.insert(keys.begin(), kAlt);
    return emit(std::move(keys));
  }
  const char last = pending_.back();
  if (pending_.size() == 2 || (pending_.size() == 3 && second == '[' && last == '['))
    return Verdict::Incomplete;
  if (is_final(last)) return emit(sequence_keys(pending_));
  return pending_.size() < kLongestSequence ? Verdict::Incomplete : Verdict::Done;
}

void TerminalKeys::feed(std::span<const u8> bytes, const std::function<void(const Typed&)>& typed) {
  for (const u8 byte : bytes) {
    const char c = static_cast<char>(byte);
    if (pending_.empty() && command_) {
      command_ = false;
      if (c == kCommandPrefix)
        typed({.keys = character_keys(c)});
      else
        typed({.keys = {}, .command = c});
      continue;
    }
    if (pending_.empty() && c == kCommandPrefix) {
      command_ = true;
      continue;
    }
    // An escape begins anew, whatever was under way: a lone one before it was the key.
    if (c == 0x1b) flush(typed);
    pending_ += c;
    if (parse(typed) == Verdict::Done) pending_.clear();
  }
}

void TerminalKeys::flush(const std::function<void(const Typed&)>& typed) {
  const std::string left = std::exchange(pending_, {});
  if (left == "\x1b") typed({.keys = {kEscape}});
  // ESC [ and ESC O may be Alt with these keys.
  if (left == "\x1b[" || left == "\x1bO") {
    auto keys = character_keys(left[1]);
    keys.insert(keys.begin(), kAlt);
    typed({.keys = std::move(keys)});
  }
}

}  // namespace rhea::ui
