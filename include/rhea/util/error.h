// SPDX-License-Identifier: GPL-2.0-or-later
// User and host faults: values that travel up by return and are printed once, at the top.
// Guest faults never come this way (see log.h); programming errors end in RHEA_ASSERT.
#pragma once

#include <fmt/core.h>

#include <expected>
#include <string>
#include <utility>

namespace rhea {

/// QMP's error classes; nearly everything is Generic.
enum class ErrorClass { Generic, CommandNotFound, DeviceNotActive, DeviceNotFound, KvmMissingCap };

/// One line of text that names what is at fault (option, property, file) and why.
class Error {
 public:
  explicit Error(std::string message, ErrorClass error_class = ErrorClass::Generic)
      : message_(std::move(message)), class_(error_class) {}

  const std::string& message() const { return message_; }
  ErrorClass error_class() const { return class_; }

  /// The same error seen from further out: "context: message".
  Error within(std::string_view context) && {
    message_.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }

 private:
  std::string message_;
  ErrorClass class_;
};

/// A value or an Error; the compiler tells whoever drops one.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// `return fail("{}: no such file", path);`
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error(fmt::format(format, std::forward<Args>(args)...)));
}

template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorClass error_class,
                                          fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error(fmt::format(format, std::forward<Args>(args)...), error_class));
}

/// The text of errno value `err`, thread-safe.
std::string errno_text(int err);

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace rhea

/// `TRY(f());` or `auto x = TRY(f());`: hands an error to the caller, else yields the value.
#define TRY(...)                                                  \
  __extension__({                                                 \
    auto&& rhea_try_result = (__VA_ARGS__);                       \
    if (!rhea_try_result) [[unlikely]]                            \
      return std::unexpected(std::move(rhea_try_result).error()); \
    std::move(rhea_try_result).value();                           \
  })

/// For programming errors only: nothing a guest, a user or a client sends may reach a failing one.
#define RHEA_ASSERT(expression) \
  ((expression) ? void(0) : ::rhea::assertion_failed(#expression, __FILE__, __LINE__))
