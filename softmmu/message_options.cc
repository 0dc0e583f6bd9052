// SPDX-License-Identifier: GPL-2.0-or-later
// -msg and -dfilter: how messages look, and what of the guest's code is logged.
#include "rhea/util/keyval.h"
#include "rhea/util/log.h"
#include "rhea/util/log_filter.h"
#include "rhea/util/option.h"

namespace rhea {
namespace {

Result<> message_style(Machine&, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text));
  MessageStyle style;
  style.timestamp = TRY(options.take_bool("timestamp", false));
  style.guest_name = TRY(options.take_bool("guest-name", false));
  TRY(options.expect_empty("-msg"));
  set_message_style(style);
  return {};
}

Result<> address_filter(Machine&, const std::string& text) { return set_log_filter(text); }

const RegisterOption options[] = {
    RegisterOption{{.name = "msg",
                    .argument = "[timestamp=on|off][,guest-name=on|off]",
                    .help = "what stands before each message: the time, the guest's name (-name)",
                    .phase = StartPhase::Process,
                    .apply = &message_style}},
    RegisterOption{{.name = "dfilter",
                    .argument = "range[,...]",
                    .help = "log code (-d in_asm,exec,cpu) only at these addresses: first..last,\n"
                            "start+length, end-length",
                    .phase = StartPhase::Early,
                    .apply = &address_filter}},
};

}  // namespace
}  // namespace rhea
