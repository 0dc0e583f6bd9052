// SPDX-License-Identifier: GPL-2.0-or-later
// The tables behind known_names.h.
#pragma once

#include "rhea/util/known_names.h"

#include <span>
#include <string_view>

namespace rhea {

struct PropertyNames {
  std::string_view device;      ///< and its variants: with "e1000" all that begin with "e1000-"
  std::string_view properties;  ///< separated by blanks
};

/// Why Rhea does not have a name.
enum class Why : unsigned char {
  NotYet,
  Dropped,      ///< QEMU 7.2 itself has no such name any more
  OtherTarget,  ///< QEMU 7.2 has it for machines that are no PCs
};

/// What to write in Rhea instead of a name, or of all of QEMU's names that begin with it: "usb-*".
/// The first row counts.
struct Instead {
  NameKind kind;
  std::string_view name;
  std::string_view advice;
  Why why{Why::NotYet};
};

/// All names of a kind, separated by blanks.
std::string_view qemu_name_list(NameKind kind);
/// Of those, what -cpu takes, as far as Rhea has it not.
std::string_view qemu_cpu_features();
std::string_view qemu_cpu_properties();
/// Of the devices that both have.
std::span<const PropertyNames> qemu_properties();
std::span<const Instead> instead_table();

}  // namespace rhea
