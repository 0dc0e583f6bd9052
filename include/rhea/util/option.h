// SPDX-License-Identifier: GPL-2.0-or-later
// Command-line options. Each belongs to the folder that reads it and registers itself there:
//
//   const RegisterOption serial{{.name = "serial", .argument = "dev", .help = "…",
//                                .phase = StartPhase::Backends, .apply = &add_serial}};
//
// The command line only tokenises, asks this table, and applies the options phase by phase, in the
// order given within a phase.
#pragma once

#include "rhea/util/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea {

class Machine;

enum class StartPhase : unsigned char {
  Process,      ///< of the process itself, before it has threads: going to the background, messages
  Early,        ///< logging, names, globals, help lists
  Config,       ///< what the machine is made of
  Backends,     ///< chardevs, drives
  Accelerator,  ///< applied before the accelerator is created
  Devices,      ///< after the board stands
  Monitors,     ///< after the devices
};

struct CommandLineOption {
  std::string_view name;      ///< without the dash
  std::string_view argument;  ///< its syntax for the help; empty: takes none
  std::string_view help;      ///< one line, or several
  StartPhase phase{StartPhase::Config};
  Result<> (*apply)(Machine& machine, const std::string& argument){};
  /// Called for every option given before the first is applied, for what others must know early;
  /// errors are left to apply.
  void (*foresee)(Machine& machine, const std::string& argument){};
};

class RegisterOption {
 public:
  explicit RegisterOption(const CommandLineOption& option);
  RegisterOption(const RegisterOption&) = delete;
  RegisterOption& operator=(const RegisterOption&) = delete;
  const CommandLineOption& option() const { return option_; }

 private:
  CommandLineOption option_;
};

/// Sorted by name.
std::vector<const CommandLineOption*> all_options();
const CommandLineOption* find_option(std::string_view name);

/// What an option that only prints (help lists, -version) throws to end the program with status 0.
struct ExitRequest {
  int code{0};
};

}  // namespace rhea
