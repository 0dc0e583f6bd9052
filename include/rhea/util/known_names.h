// SPDX-License-Identifier: GPL-2.0-or-later
// Names that users of QEMU 7.2 may write: what Rhea does not have is known all the same, and what
// is misspelt is answered with the nearest name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

enum class NameKind : unsigned char {
  Option,   ///< of the command line, without dashes
  Device,   ///< for -device and device_add
  Object,   ///< for -object and object-add
  Machine,  ///< board names
  MachineProperty,
  Chardev,  ///< character back ends
  Netdev,   ///< network back ends
  Display,
  Vga,
  DriveInterface,  ///< of -drive if=
  CpuFeature,      ///< of -cpu, that no accelerator of Rhea's can give
  CpuProperty,     ///< of -cpu
  Parameter,       ///< of an option, which stands before it: "-icount rr"
  LogItem,
  QmpCommand,
  QmpEvent,
  HmpCommand,
  InfoCommand,  ///< what follows HMP's "info"
};

/// All names of a kind that QEMU 7.2 has.
std::vector<std::string_view> qemu_names(NameKind kind);

/// What to say of a name that Rhea does not know: "QEMU has this; Rhea has not yet" (and what to
/// write instead), "QEMU dropped this" (and what to write today), or "did you mean 'x'?" for the
/// nearest of `own` (Rhea's names) and QEMU's. Empty where there is nothing to say.
std::string about_unknown(NameKind kind, std::string_view name,
                          const std::vector<std::string_view>& own);
/// The same for a parameter of an option ("-m").
std::string about_unknown_parameter(std::string_view option, std::string_view parameter,
                                    const std::vector<std::string_view>& own);
/// The same for a property of a device.
std::string about_unknown_property(std::string_view device, std::string_view property,
                                   const std::vector<std::string_view>& own);
/// "; did you mean 'x'?", or nothing when no name is near.
std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& names);
/// The name that differs least, if it differs little.
std::optional<std::string_view> nearest_name(std::string_view name,
                                             const std::vector<std::string_view>& names);
/// `text`, then "; " and the remark, if there is one.
std::string with_remark(std::string text, const std::string& remark);

}  // namespace rhea
