// SPDX-License-Identifier: GPL-2.0-or-later
// -k: the layout of the keyboard that keys are typed on.
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

namespace rhea {
namespace {

// Those that QEMU 7.2 comes with.
const std::vector<std::string_view> kLayouts = {
    "ar", "bepo",  "cz",    "da",    "de",    "de-ch", "en-gb", "en-us", "es", "et", "fi", "fo",
    "fr", "fr-be", "fr-ca", "fr-ch", "hr",    "hu",    "is",    "it",    "ja", "lt", "lv", "mk",
    "nl", "no",    "pl",    "pt",    "pt-br", "ru",    "sl",    "sv",    "th", "tr"};

// A layout says which key a character is on. Every display there is sends keys, or knows the
// characters of a terminal, so that none has to ask.
Result<> keyboard(Machine&, const std::string& name) {
  if (name == "help") {
    for (const std::string_view layout : kLayouts) fmt::print("{}\n", layout);
    throw ExitRequest{};
  }
  if (std::ranges::find(kLayouts, name) != kLayouts.end()) return {};
  return fail("{}", with_remark("there is no such keyboard layout (-k help lists them)",
                                nearest_hint(name, kLayouts)));
}

const RegisterOption option{{.name = "k",
                             .argument = "layout",
                             .help = "the host keyboard's layout (help lists them), for displays\n"
                                     "that get characters instead of keys; there is none yet",
                             .phase = StartPhase::Config,
                             .apply = &keyboard}};

}  // namespace
}  // namespace rhea
