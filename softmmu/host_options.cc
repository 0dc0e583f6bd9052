// SPDX-License-Identifier: GPL-2.0-or-later
// -overcommit and -only-migratable: what the host may take away from the guest, and give on.
#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

#include <sys/mman.h>

#include <cerrno>

namespace rhea {
namespace {

Result<> overcommit(Machine&, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text));
  const bool lock = TRY(options.take_bool("mem-lock", false));
  const bool sleep_on_host = TRY(options.take_bool("cpu-pm", false));
  TRY(options.expect_empty("-overcommit"));
  if (sleep_on_host)
    return fail("-overcommit cpu-pm=on: not there yet: a guest's processors wait in Rhea");
  // What is there already and all that comes, the guest's memory with it.
  if (lock && ::mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
    return fail("-overcommit mem-lock=on: cannot lock memory: {}", errno_text(errno));
  return {};
}

// Every device of Rhea describes its state: there is none to refuse.
Result<> only_migratable(Machine&, const std::string&) { return {}; }

const RegisterOption options[] = {
    RegisterOption{{.name = "overcommit",
                    .argument = "[mem-lock=on|off][,cpu-pm=off]",
                    .help = "mem-lock=on: all of the program's memory stays in the host's",
                    .phase = StartPhase::Config,
                    .apply = &overcommit}},
    RegisterOption{{.name = "only-migratable",
                    .argument = "",
                    .help = "refuse devices whose state cannot be saved (there are none)",
                    .phase = StartPhase::Config,
                    .apply = &only_migratable}},
};

}  // namespace
}  // namespace rhea
