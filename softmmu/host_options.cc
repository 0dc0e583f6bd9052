// SPDX-License-Identifier: GPL-2.0-or-later
// -overcommit, -seed and -only-migratable: what the host gives the guest, and takes away.
#include "rhea/qom/value.h"
#include "rhea/util/keyval.h"
#include "rhea/util/option.h"
#include "softmmu/guest_random.h"
#include "softmmu/host_power.h"

#include <sys/mman.h>

#include <cerrno>

namespace rhea {
namespace {

Result<> overcommit(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text));
  const bool lock = TRY(options.take_bool("mem-lock", false));
  const bool guest_decides = TRY(options.take_bool("cpu-pm", false));
  TRY(options.expect_empty("-overcommit"));
  machine.service<HostPower>().guest_decides = guest_decides;
  // What is there already and all that comes, the guest's memory with it.
  if (lock && ::mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
    return fail("-overcommit mem-lock=on: cannot lock memory: {}", errno_text(errno));
  return {};
}

Result<> seed(Machine& machine, const std::string& text) {
  const auto number = parse_unsigned(text, {.min = 0, .max = ~u64{0}}, false);
  if (!number) return fail("-seed {}: Invalid seed number: {}", text, text);
  machine.service<GuestRandom>().seed = *number;
  return {};
}

// Every device of Rhea describes its state: there is none to refuse.
Result<> only_migratable(Machine&, const std::string&) { return {}; }

const RegisterOption options[] = {
    RegisterOption{{.name = "overcommit",
                    .argument = "[mem-lock=on|off][,cpu-pm=on|off]",
                    .help = "mem-lock=on: all of the program's memory stays in the host's; "
                            "cpu-pm=on: on KVM, idle processors stay the guest's",
                    .phase = StartPhase::Config,
                    .apply = &overcommit}},
    RegisterOption{{.name = "seed",
                    .argument = "n",
                    .help = "the software CPU's random numbers are made of this number",
                    .phase = StartPhase::Config,
                    .apply = &seed}},
    RegisterOption{{.name = "only-migratable",
                    .argument = "",
                    .help = "refuse devices whose state cannot be saved (there are none)",
                    .phase = StartPhase::Config,
                    .apply = &only_migratable}},
};

}  // namespace
}  // namespace rhea
