// SPDX-License-Identifier: GPL-2.0-or-later
// The processors' registers as ELF notes.
#pragma once

#include "monitor/dump/guest_image.h"

namespace rhea::dump {

/// For each processor a "CORE" note (NT_PRSTATUS, for gdb) and then for each a "QEMU" note (all of
/// the registers, for crash and its kin); the guest's own note last.
std::vector<u8> processor_notes(const GuestImage& image);

}  // namespace rhea::dump
