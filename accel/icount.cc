// SPDX-License-Identifier: GPL-2.0-or-later
// -icount [shift=]N[,sleep=on|off][,align=off]
#include "accel/icount.h"

#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

#include <charconv>

namespace rhea::accel {
namespace {

constexpr unsigned kMaxShift = 10;

Result<unsigned> shift_of(const std::string& text) {
  unsigned shift = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), shift);
  if (error != std::errc{} || end != text.data() + text.size() || shift > kMaxShift)
    return fail("-icount shift={}: an instruction takes 2^shift ns; shift is 0 to {}", text,
                kMaxShift);
  return shift;
}

Result<> icount_option(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "shift"));
  const std::string shift = options.take("shift").value_or("auto");
  // Both follow the host's clock, so that no two runs would be alike.
  if (shift == "auto")
    return fail("-icount: shift=auto is not supported; give shift=0 to {}", kMaxShift);
  if (TRY(options.take_bool("align", false))) return fail("-icount: align=on is not supported");
  InstructionCount::Settings settings;
  settings.shift = TRY(shift_of(shift));
  settings.sleep = TRY(options.take_bool("sleep", true));
  TRY(options.expect_empty("-icount"));
  machine.service<InstructionCount>().settings = settings;
  return {};
}

const RegisterOption option{
    {.name = "icount",
     .argument = "[shift=]N[,sleep=on|off][,align=off]",
     .help = "virtual time by executed instructions, 2^N ns each: runs that repeat exactly",
     .phase = StartPhase::Accelerator,
     .apply = &icount_option}};

}  // namespace
}  // namespace rhea::accel
