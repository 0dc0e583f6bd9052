// SPDX-License-Identifier: GPL-2.0-or-later
// Integer expressions: sums of logical terms of products, as QEMU binds them.
#include "monitor/hmp/expression.h"

#include <cctype>
#include <charconv>

namespace rhea::hmp {
namespace {

constexpr unsigned kMaxDepth = 64;

class Parser {
 public:
  Parser(std::string_view text, const RegisterLookup& registers)
      : text_(text), registers_(registers) {}

  Result<u64> sum() {
    u64 value = TRY(logic());
    for (char op = peek(); op == '+' || op == '-'; op = peek()) {
      advance();
      const u64 right = TRY(logic());
      value = op == '+' ? value + right : value - right;
    }
    return value;
  }
  std::string_view rest() const { return text_; }

 private:
  Result<u64> logic() {
    u64 value = TRY(product());
    for (char op = peek(); op == '&' || op == '|' || op == '^'; op = peek()) {
      advance();
      const u64 right = TRY(product());
      value = op == '&' ? value & right : op == '|' ? value | right : value ^ right;
    }
    return value;
  }

  Result<u64> product() {
    u64 value = TRY(unary());
    while (is_product(peek())) {
      const char op = peek();
      advance();
      const u64 right = TRY(unary());
      if (op == '*')
        value *= right;
      else
        value = TRY(divide(value, right, op));
    }
    return value;
  }

  // A '/' that no operand follows starts a path ("memsave 0 10 /tmp/x").
  bool is_product(char op) const {
    if (op == '*' || op == '%') return true;
    if (op != '/' || text_.size() < 2) return false;
    const char next = text_[1];
    return std::isdigit(static_cast<unsigned char>(next)) != 0 || next == ' ' || next == '(' ||
           next == '$' || next == '\'' || next == '-' || next == '~';
  }

  static Result<u64> divide(u64 a, u64 b, char op) {
    const auto left = static_cast<i64>(a);
    const auto right = static_cast<i64>(b);
    if (right == 0) return fail("division by zero");
    if (right == -1) return op == '%' ? 0 : ~a + 1;
    return static_cast<u64>(op == '%' ? left % right : left / right);
  }

  Result<u64> unary() {
    if (++depth_ > kMaxDepth) return fail("expression too deep");
    auto value = operand();
    --depth_;
    return value;
  }

  Result<u64> operand() {
    const char c = peek();
    switch (c) {
      case '\0': return fail("unexpected end of expression");
      case '+': advance(); return unary();
      case '-': advance(); return ~TRY(unary()) + 1;
      case '~': advance(); return ~TRY(unary());
      case '(': return parenthesis();
      case '\'': return character();
      case '$': return reg();
      default: return literal();
    }
  }

  Result<u64> parenthesis() {
    advance();
    const u64 value = TRY(sum());
    if (peek() != ')') return fail("')' expected");
    advance();
    return value;
  }

  Result<u64> character() {
    if (text_.size() < 2) return fail("character constant expected");
    if (text_.size() < 3 || text_[2] != '\'') return fail("missing terminating ' character");
    const u64 value = static_cast<u8>(text_[1]);
    text_.remove_prefix(3);
    return value;
  }

  Result<u64> reg() {
    std::size_t length = 1;
    while (length < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[length])) != 0 || text_[length] == '_'))
      ++length;
    const auto value = registers_ ? registers_(text_.substr(1, length - 1)) : std::nullopt;
    if (!value) return fail("unknown register");
    text_.remove_prefix(length);
    return *value;
  }

  Result<u64> literal() {
    int base = 10;
    std::string_view digits = text_;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
      base = 16;
      digits.remove_prefix(2);
    } else if (digits.starts_with('0')) {
      base = 8;
    }
    u64 value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error == std::errc::result_out_of_range) return fail("number too large");
    if (error != std::errc{}) return fail("invalid char '{}' in expression", text_[0]);
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }

  char peek() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_[0])) != 0)
      text_.remove_prefix(1);
    return text_.empty() ? '\0' : text_[0];
  }
  void advance() { text_.remove_prefix(1); }

  std::string_view text_;
  const RegisterLookup& registers_;
  unsigned depth_{0};
};

}  // namespace

Result<u64> take_expression(std::string_view& text, const RegisterLookup& registers) {
  Parser parser(text, registers);
  const u64 value = TRY(parser.sum());
  text = parser.rest();
  return value;
}

}  // namespace rhea::hmp
