// SPDX-License-Identifier: GPL-2.0-or-later
#include "block/drive_errors.h"

#include <cerrno>
#include <utility>

namespace rhea::block {

Result<OnError> parse_on_error(const std::string& text, bool read) {
  for (const OnError on : {OnError::Report, OnError::Ignore, OnError::Stop, OnError::Enospc})
    if (text == enum_name(on) && (on != OnError::Enospc || !read)) return on;
  return fail("'{}' invalid {} error action", text, read ? "read" : "write");
}

// An error is a text; this one has no other source.
bool is_no_space(const Error& error) {
  static const std::string text = errno_text(ENOSPC);
  return error.message() == text;
}

ErrorAction DriveErrors::decide(bool read, const Error& error) const {
  if (!in_force) return ErrorAction::Report;
  switch (read ? policy.read : policy.write) {
    case OnError::Ignore: return ErrorAction::Ignore;
    case OnError::Stop: return ErrorAction::Stop;
    case OnError::Enospc: return is_no_space(error) ? ErrorAction::Stop : ErrorAction::Report;
    default: return ErrorAction::Report;
  }
}

bool DriveErrors::may_stop() const {
  return in_force && (policy.write == OnError::Enospc || policy.write == OnError::Stop ||
                      policy.read == OnError::Stop);
}

void DriveErrors::go_on() {
  status_ = "ok";
  for (const auto& then : std::exchange(held_, {})) then();
}

}  // namespace rhea::block
