// SPDX-License-Identifier: GPL-2.0-or-later
// "type,key=value,flag" option arguments, in QEMU's grammar.
#pragma once

#include "rhea/util/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhea {

/// What an option makes of a word without '='; each option declares which of QEMU's grammars is
/// its.
enum class Words : unsigned char {
  Flags,       ///< "word" is word=on and "noword" is word=off; a warning says how to write it
  QuietFlags,  ///< the same without a warning: the short forms of -serial and its kin
  Plain,       ///< "word" is word=on and nothing else: -cpu
  Required,    ///< a key needs its value: -machine, -smp, -boot, -display, …
};

/// Keys and values in order. "," separates, ",," is a comma. The word "help" (or "?") is help=on in
/// every grammar.
class KeyValues {
 public:
  /// With `implied_key`, a first word without '=' is that key's value ("ide-hd,drive=x" with
  /// "driver").
  static Result<KeyValues> parse(std::string_view text, std::string_view implied_key = {},
                                 Words words = Words::Flags);

  const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }
  /// The last value given for `key`.
  const std::string* find(std::string_view key) const;
  /// Takes it out, so that what is left at the end is unknown.
  std::optional<std::string> take(std::string_view key);
  Result<bool> take_bool(std::string_view key, bool default_value);
  bool empty() const { return all_.empty(); }
  /// Fails naming the first key that nobody took, and what is known of it: "-m: unknown parameter
  /// 'slot'; did you mean 'slots'?".
  Result<> expect_empty(std::string_view option) const;
  /// What is known of that key: QEMU's, or near to one that was asked for.
  std::string about_first(std::string_view option) const;
  void add(std::string key, std::string value) {
    all_.emplace_back(std::move(key), std::move(value));
  }

 private:
  Result<> add_word(std::string word, Words words);

  std::vector<std::pair<std::string, std::string>> all_;
  std::vector<std::string> taken_;  ///< the keys that there could have been
};

/// Whether an id may be `text`: a letter, then letters, digits and "-._".
bool is_identifier(std::string_view text);

}  // namespace rhea
