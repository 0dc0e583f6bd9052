// SPDX-License-Identifier: GPL-2.0-or-later
// Processor models of earlier releases, as QEMU 7.2's boards have them.
#include "hw/i386/cpu_versions.h"

#include <array>

namespace rhea::hw {
namespace {

struct Change {
  BoardVersion last;            ///< the newest release that has it
  std::string_view models;      ///< empty: all
  std::string_view properties;  ///< name=value, blanks between them
};

// Newest first: what an older release has comes over it. QEMU's monitor told them
// (query-cpu-model-expansion on each board), for what guests can see and Rhea can show.
constexpr std::array kChanges = {
    Change{{6, 0}, "qemu64", "family=6 model=6 stepping=3"},
    Change{{3, 1},
           "Skylake-Client Skylake-Client-IBRS Skylake-Server Skylake-Server-IBRS "
           "Cascadelake-Server Icelake-Server",
           "mpx=on"},
    Change{{3, 1}, "Opteron_G4 Opteron_G5 EPYC EPYC-IBPB", "npt=off nrip-save=off"},
    Change{{3, 1}, "Opteron_G3 Opteron_G4 Opteron_G5", "rdtscp=off"},
    Change{{3, 1}, "Cascadelake-Server", "stepping=5"},
    Change{{3, 0}, "Skylake-Server Skylake-Server-IBRS", "pku=off"},
    Change{{2, 12},
           "EPYC EPYC-v1 EPYC-v2 EPYC-v3 EPYC-IBPB EPYC-Rome EPYC-Rome-v1 EPYC-Rome-v2 EPYC-Milan "
           "EPYC-Milan-v1 Dhyana Dhyana-v1 Dhyana-v2",
           "topoext=off"},
    Change{{2, 12}, "EPYC EPYC-IBPB", "xlevel=0x8000000a"},
    Change{{2, 11}, "Skylake-Server", "clflushopt=off"},
    Change{{2, 8}, "", "tcg-cpuid=off"},
    Change{{2, 8}, "Haswell", "stepping=1"},
    Change{{2, 7}, "", "l3-cache=off"},
    Change{{2, 7}, "Opteron_G2 Opteron_G2-v1 Opteron_G3 Opteron_G3-v1", "xlevel=0x80000008"},
    Change{{2, 7}, "Opteron_G3", "family=15 model=6 stepping=1"},
    Change{{2, 6}, "", "cpuid-0xb=off"},
    Change{{2, 4}, "", "check=off"},
    Change{{2, 4}, "qemu64", "sse4a=on popcnt=on abm=on"},
    Change{{2, 4}, "qemu32", "popcnt=on"},
    Change{{2, 4}, "Opteron_G2 Opteron_G3 Opteron_G4 Opteron_G5", "rdtscp=on"},
    Change{{2, 4}, "Haswell Haswell-noTSX Broadwell Broadwell-noTSX", "abm=off"},
    Change{{2, 3}, "", "arat=off"},
    Change{{2, 3}, "qemu64", "level=4"},
    Change{{2, 3}, "pentium3", "level=2"},
    Change{{2, 3},
           "n270 Westmere SandyBridge Penryn Nehalem IvyBridge Haswell Haswell-noTSX Conroe "
           "Broadwell Broadwell-noTSX",
           "xlevel=0x8000000a"},
    Change{{2, 3}, "n270 kvm64", "level=5"},
    Change{{2, 3}, "Penryn Conroe Nehalem", "level=4"},
    Change{{2, 2}, "Haswell Broadwell", "f16c=off rdrand=off"},
    Change{{2, 1}, "coreduo core2duo", "vmx=on"},
    Change{{1, 6}, "qemu64", "model=2"},
    Change{{1, 6}, "qemu32", "model=3"},
    Change{{1, 5}, "Penryn Nehalem Conroe", "level=2 model=2"},
    Change{{1, 4}, "n270", "movbe=off"},
    Change{{1, 4}, "Westmere", "pclmulqdq=off"},
    Change{{1, 4}, "486", "model=0"},
};

/// What stands between blanks; all in one, empty, for no text.
template <class Visit>
void each_word(std::string_view text, const Visit& visit) {
  for (;;) {
    const auto blank = text.find(' ');
    visit(text.substr(0, blank));
    if (blank == std::string_view::npos) return;
    text.remove_prefix(blank + 1);
  }
}

}  // namespace

std::vector<x86::ModelDefault> model_defaults(BoardVersion version) {
  std::vector<x86::ModelDefault> defaults;
  for (const Change& change : kChanges) {
    if (version > change.last) continue;
    each_word(change.models, [&](std::string_view model) {
      each_word(change.properties, [&](std::string_view text) {
        const auto equals = text.find('=');
        defaults.push_back({.model = model,
                            .property = text.substr(0, equals),
                            .value = std::string(text.substr(equals + 1))});
      });
    });
  }
  // Generic models stopped telling guests of each new release.
  if (version < BoardVersion{2, 5})
    for (const std::string_view model : {"qemu64", "qemu32", "athlon"})
      defaults.push_back(
          {.model = model,
           .property = "model-id",
           .value = fmt::format("QEMU Virtual CPU version {}.{}.0", version.major, version.minor)});
  return defaults;
}

}  // namespace rhea::hw
