// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's processor does for KVM.
#pragma once

#include <string>

namespace rhea::kvm {

/// Whether the processor itself runs guests (VT-x, AMD-V). A KVM without that interprets most of
/// the guest's instructions one by one, at about two million a second. `root` stands before /proc
/// and /sys.
bool has_hardware_virtualization(const std::string& root = "");

}  // namespace rhea::kvm
