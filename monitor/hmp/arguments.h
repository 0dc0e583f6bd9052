// SPDX-License-Identifier: GPL-2.0-or-later
// Reading a command line's arguments one after the other.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rhea::hmp {

/// The "/4xw" of memory commands.
struct MemoryFormat {
  unsigned count{1};
  char letter{'x'};
  int size{4};  ///< bytes; -1: the command's business
};

/// Registers by name, for expressions.
using RegisterLookup = std::function<std::optional<u64>(std::string_view)>;

/// Reads from the front. After a failure syntax_error() is true: the user typed something wrong,
/// which is told differently from a command that fails.
class Arguments {
 public:
  Arguments(std::string_view command, std::string_view text, RegisterLookup registers)
      : command_(command), text_(text), registers_(std::move(registers)) {}

  bool at_end();
  /// An expression: + - & | ^ * / % ~ ( ) numbers 'c' $register.
  Result<u64> number();
  Result<std::optional<u64>> optional_number();
  /// A word, or text in double quotes; `what` is asked for in the error.
  Result<std::string> text(std::string_view what = "string");
  Result<std::optional<std::string>> optional_text();
  /// Takes "-c" when it is next.
  bool flag(char c);
  /// Takes "-c VALUE" when it is next.
  Result<std::optional<std::string>> flag_text(char c);
  /// Takes "/4xw" when it is next; what is not given stays as in `defaults`.
  Result<MemoryFormat> format(MemoryFormat defaults);
  /// All that is left.
  std::string_view rest();
  /// Fails when something is left.
  Result<> end();

  bool syntax_error() const { return syntax_error_; }
  /// Makes a failure of this command's own check a syntax error.
  std::unexpected<Error> wrong(std::string message);

 private:
  void skip_blanks();
  Result<std::string> quoted_text(std::string_view what);

  std::string_view command_;
  std::string_view text_;
  RegisterLookup registers_;
  bool syntax_error_{false};
};

}  // namespace rhea::hmp
