// SPDX-License-Identifier: GPL-2.0-or-later
// -audiodev. There is no sound card yet; libvirt names a silent back end for every guest all the
// same.
#include "audio/audiodev.h"

#include "rhea/util/json_keyval.h"
#include "rhea/util/option.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace rhea::audio {
namespace {

/// What QEMU has besides.
constexpr std::array<std::string_view, 11> kOthers = {
    "alsa", "coreaudio", "dbus", "dsound", "jack", "oss", "pa", "sdl", "sndio", "spice", "wav"};

Result<> audiodev_option(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    fmt::print("Available audio drivers:\nnone\n");
    throw ExitRequest{};
  }
  return machine.service<AudioBackends>().add(text);
}

const RegisterOption option{{.name = "audiodev",
                             .argument = "[driver=]none,id=id",
                             .help = "the host's sound: none, which is silent",
                             .phase = StartPhase::Backends,
                             .apply = &audiodev_option}};

}  // namespace

Result<> AudioBackends::add(const std::string& text) {
  KeyValues options = TRY(parse_json_or_keyval(text, "driver"));
  const auto driver = options.take("driver");
  const auto id = options.take("id");
  if (!driver) return fail("Parameter 'driver' is missing");
  if (std::ranges::find(kOthers, *driver) != kOthers.end())
    return fail("driver={}: QEMU has this; Rhea has not yet: use none", *driver);
  if (*driver != "none") return fail("Parameter 'driver' does not accept value '{}'", *driver);
  if (!id) return fail("Parameter 'id' is missing");
  if (!is_identifier(*id)) return fail("Parameter 'id' expects an identifier, not '{}'", *id);
  if (std::ranges::find(ids_, *id) != ids_.end()) return fail("Duplicate audiodev ID '{}'", *id);
  TRY(options.expect_empty("-audiodev"));
  ids_.push_back(*id);
  return {};
}

}  // namespace rhea::audio
