// SPDX-License-Identifier: GPL-2.0-or-later
// Linear to physical addresses by the page tables (SDM vol. 3, chapter 4).
#pragma once

#include "target/x86/cpu.h"

#include <optional>

namespace rhea::x86 {

enum class AccessKind : u8 { Read, Write, Fetch };

/// What a linear page translates to.
struct Translation {
  u64 physical{};   ///< of the address asked for, after A20
  bool writable{};  ///< with the rights asked for, and its dirty bit is set: a write TLB entry may
                    ///< be made
  bool global{};
};

/// Walks the tables with all checks for the access (present, reserved bits, U/S, R/W with CR0.WP,
/// NX, SMEP, SMAP), sets accessed and dirty bits atomically, or comes to #PF. `linear` is
/// canonical. Without paging the linear address is the physical one.
OrFault<Translation> find_translation(Cpu& cpu, u64 linear, AccessKind kind, Privilege as);
/// The same, but the #PF is thrown.
inline Translation translate(Cpu& cpu, u64 linear, AccessKind kind, Privilege as) {
  return value_or_throw(find_translation(cpu, linear, kind, as));
}
/// The same without side effects and rights, for debuggers; nullopt: not mapped, or by an entry
/// that lies on a device. Waits for nothing.
std::optional<u64> translate_quietly(Cpu& cpu, u64 linear);
/// Loads the four PDPTEs for PAE paging; false: reserved bits are set (#GP of MOV CR3).
bool load_pdptes(Cpu& cpu, u64 cr3);

}  // namespace rhea::x86
