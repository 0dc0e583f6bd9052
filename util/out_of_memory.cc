// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/out_of_memory.h"

#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string_view>

namespace rhea {

void out_of_memory() {
  constexpr std::string_view kText =
      "rhea: out of memory: the host, or a limit (ulimit -v), gives no more\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  std::quick_exit(1);
}

void end_when_out_of_memory() { std::set_new_handler(&out_of_memory); }

}  // namespace rhea
