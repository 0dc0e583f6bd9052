// SPDX-License-Identifier: GPL-2.0-or-later
// What translated code keeps of a processor beside its registers: it addresses all of this by a
// host register.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86 {

/// Where code at an address goes on in host code. Direct-mapped, by a hash of RIP.
struct JumpTable {
  static constexpr unsigned kShift = 13;
  static constexpr unsigned kEntries = 1U << kShift;
  /// The hash is the top bits of the low half of RIP times this.
  static constexpr u32 kFactor = 0x9e37'79b1;
  struct Entry {
    u64 rip{};
    const u8* host{};
  };
  static unsigned slot(u64 rip) { return static_cast<u32>(rip) * kFactor >> (32 - kShift); }
  /// Where what is pushed out of its slot lies until somebody else is: two addresses of one slot,
  /// both used all the time, find both.
  static constexpr unsigned other_way(unsigned slot) { return slot ^ 1U; }

  /// Aligned so that flipping a bit of the address of an entry gives its other way's.
  alignas(2 * sizeof(Entry)) std::array<Entry, kEntries> entries{};
  bool used{true};
  JumpTable() { clear(); }
  /// An entry that is not there has an address that belongs elsewhere: nobody finds it.
  void clear() {
    if (!used) return;
    used = false;
    entries.fill({});
    forget(slot(0));
    forget(other_way(slot(0)));
  }
  /// Address 0 belongs into slot 0 and its other way: what is not there is 1 in both.
  void forget(unsigned at) {
    entries[at] = {.rip = u64{at == slot(0) || at == other_way(slot(0))}, .host = nullptr};
  }
  void put(u64 rip, const u8* host) {
    used = true;
    const unsigned at = slot(rip);
    if (entries[at].rip != rip) entries[other_way(at)] = entries[at];
    entries[at] = {.rip = rip, .host = host};
  }
};

/// What of the guest's state lies in the host's registers; bits of Translated::resident.
enum Resident : u8 {
  kResidentSse = 1,  ///< vector registers, in use as SSE allows, and MXCSR
  kResidentAvx = 2,  ///< likewise as AVX allows; never alone
  kResidentX87 = 4,  ///< x87 and MMX registers, control and status word
};

struct Translated {
  /// RIP of the first byte of the page that the running block lies on: RIP minus the linear
  /// address's offset in the page.
  u64 page_rip{};
  /// Status flags between blocks: AH as LAHF leaves it in the high byte, OF in the low one.
  u16 flags{};
  /// Ways back before translated code is left for others' sake.
  i32 budget{};
  u64 temporary{}, temporary2{};
  u32 host_mxcsr{0x1f80};  ///< what C++ code needs
  u16 host_fcw{0x037f};    ///< likewise
  /// Bits of Resident: the rest of Cpu is not up to date there. Zero outside of translated code.
  u8 resident{};
  u8 kept{};       ///< of those, what is loaded again after a call
  bool refused{};  ///< a block was left because the processor's state allows no such thing
  const JumpTable* jumps{};
  /// translating::CallInstruction.
  const void* call{};
  void* owner{};  ///< of `call`: its own

  static u16 saved_flags(u32 eflags) {
    return static_cast<u16>((eflags & 0xd5) << 8 | 0x200 | (eflags >> 11 & 1));
  }
  static u32 eflags(u16 saved) {
    return (static_cast<u32>(saved) >> 8 & 0xd5) | (saved & 1U) << 11;
  }
};

}  // namespace rhea::x86
