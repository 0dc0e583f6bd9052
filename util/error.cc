// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/error.h"

#include "rhea/util/log.h"

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace rhea {

std::string errno_text(int err) { return std::generic_category().message(err); }

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "rhea: internal error: %s (%s:%d)\n", expression, file, line);
  log_settle();
  std::abort();
}

}  // namespace rhea
