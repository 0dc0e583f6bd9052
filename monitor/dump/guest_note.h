// SPDX-License-Identifier: GPL-2.0-or-later
// The note that a guest's kernel leaves for dumps of its memory (Linux: VMCOREINFO).
#pragma once

#include "rhea/softmmu/machine.h"

#include <optional>
#include <span>
#include <vector>

namespace rhea::dump {

/// What the kernel told the vmcoreinfo device; empty, with a warning where it told nonsense, when
/// there is none. Main thread, the machine stopped.
std::vector<u8> guest_note(Machine& machine);
/// The part of a note that is not its name; empty for what is no note.
std::span<const u8> note_contents(std::span<const u8> note);
/// The physical address of the kernel's first byte minus its linear one, by the note's text.
std::optional<u64> physical_base(std::span<const u8> note);

}  // namespace rhea::dump
