// SPDX-License-Identifier: GPL-2.0-or-later
// Splits argv into options by the table that the folders fill.
#pragma once

#include "rhea/util/option.h"

#include <string>
#include <vector>

namespace rhea::cli {

struct GivenOption {
  const CommandLineOption* option;
  std::string argument;
};

/// One dash or two; a word that is no option is an image (QEMU: the same as -hda).
Result<std::vector<GivenOption>> parse_command_line(int argc, char** argv);
/// Lets options tell what others must know before any is applied.
void foresee(Machine& machine, const std::vector<GivenOption>& given);
/// Applies the options of one phase, in the order given.
Result<> apply_phase(Machine& machine, const std::vector<GivenOption>& given, StartPhase phase);
void print_help();
void print_version();

}  // namespace rhea::cli
