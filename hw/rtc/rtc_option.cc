// SPDX-License-Identifier: GPL-2.0-or-later
// -rtc [base=utc|localtime|date][,clock=host|rt|vm][,driftfix=none|slew]
#include "hw/rtc/rtc_option.h"

#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

#include <ctime>

namespace rhea::hw {
namespace {

std::optional<i64> date_of(const std::string& text) {
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
    std::tm date{};
    const char* end = ::strptime(text.c_str(), format, &date);
    if (end != nullptr && *end == '\0') return ::timegm(&date);
  }
  return std::nullopt;
}

Result<Clock*> clock_of(Machine& machine, const std::string& name) {
  if (name == "host") return &machine.host_clock();
  if (name == "rt") return &machine.realtime_clock();
  if (name == "vm") return &machine.virtual_clock();
  return fail("-rtc clock={}: host, rt or vm", name);
}

Result<> rtc_option(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text));
  auto& settings = machine.service<RtcSettings>();
  const std::string base = options.take("base").value_or("utc");
  settings.local_time = base == "localtime";
  if (base != "utc" && base != "localtime") {
    settings.base = date_of(base);
    if (!settings.base)
      return fail("-rtc base={}: utc, localtime, 2006-06-17T16:01:21 or 2006-06-17", base);
  }
  settings.clock = TRY(clock_of(machine, options.take("clock").value_or("host")));
  const std::string drift = options.take("driftfix").value_or("none");
  if (drift != "none" && drift != "slew") return fail("-rtc driftfix={}: none or slew", drift);
  if (drift == "slew") machine.add_global("mc146818rtc", "lost_tick_policy", "slew");
  return options.expect_empty("-rtc");
}

const RegisterOption option{{.name = "rtc",
                             .argument = "[base=utc|localtime|date][,clock=host|rt|vm]"
                                         "[,driftfix=none|slew]",
                             .help = "what the real-time clock shows at the start, and its pace",
                             .phase = StartPhase::Config,
                             .apply = &rtc_option}};

}  // namespace

i64 RtcSettings::start(Machine& machine) const {
  if (base) return *base;
  const i64 utc = machine.host_clock().now_ns() / kNsPerSecond;
  if (!local_time) return utc;
  const std::time_t now = utc;
  std::tm local{};
  return ::localtime_r(&now, &local) != nullptr ? utc + local.tm_gmtoff : utc;
}

}  // namespace rhea::hw
