// SPDX-License-Identifier: GPL-2.0-or-later
// Segment and gate descriptors in the guest's tables (SDM vol. 3, 3.4.5, 3.5 and 6.11).
#pragma once

#include "target/x86/cpu.h"

#include <optional>

namespace rhea::x86::system {

/// Types of system descriptors.
enum SystemType : unsigned {
  kTss16 = 1,
  kLdt = 2,
  kBusyTss16 = 3,
  kCallGate16 = 4,
  kTaskGate = 5,
  kInterruptGate16 = 6,
  kTrapGate16 = 7,
  kTss32 = 9,
  kBusyTss32 = 11,
  kCallGate32 = 12,
  kInterruptGate32 = 14,
  kTrapGate32 = 15,
};
/// Added to a TSS descriptor's type when it is busy.
inline constexpr unsigned kBusy = 2;

/// What the error code of a selector's fault is; `external` is the EXT bit.
constexpr u32 selector_error(u16 selector, u32 external = 0) {
  return (selector & 0xfffcu) | external;
}
constexpr bool is_null(u16 selector) { return (selector & 0xfffc) == 0; }
constexpr unsigned rpl_of(u16 selector) { return selector & 3; }

/// Eight bytes of a table; system descriptors of long mode have eight more.
struct Descriptor {
  u64 address{};  ///< linear
  u64 low{};
  u64 high{};

  u16 attributes() const { return static_cast<u16>(low >> 40 & 0xf0ff); }
  unsigned type() const { return static_cast<unsigned>(low >> 40 & 0xf); }
  bool s() const { return (low >> 44 & 1) != 0; }
  unsigned dpl() const { return static_cast<unsigned>(low >> 45 & 3); }
  bool present() const { return (low >> 47 & 1) != 0; }
  bool l() const { return (low >> 53 & 1) != 0; }
  bool db() const { return (low >> 54 & 1) != 0; }
  bool is_code() const { return s() && (type() & 8) != 0; }
  bool is_conforming() const { return is_code() && (type() & 4) != 0; }
  bool is_readable() const { return s() && ((type() & 8) == 0 || (type() & 2) != 0); }
  bool is_writable_data() const { return s() && (type() & 0xa) == 2; }
  u32 limit() const {
    const u32 raw = static_cast<u32>((low & 0xffff) | (low >> 32 & 0xf'0000));
    return (low >> 55 & 1) != 0 ? raw << 12 | 0xfff : raw;
  }
  u64 base() const { return (low >> 16 & 0xff'ffff) | (low >> 56) << 24 | high << 32; }

  // Of gates.
  u16 gate_selector() const { return static_cast<u16>(low >> 16); }
  u64 gate_offset() const { return (low & 0xffff) | (low >> 48) << 16 | high << 32; }
  unsigned parameters() const { return static_cast<unsigned>(low >> 32 & 0x1f); }
  unsigned stack_table() const { return static_cast<unsigned>(low >> 32 & 7); }
};

/// The descriptor that `selector` (not null) names in the GDT or LDT; nullopt: beyond the table.
std::optional<Descriptor> find_descriptor(Cpu& cpu, u16 selector);
/// Likewise, raising `vector` with the selector as error code where there is none.
Descriptor fetch_descriptor(Cpu& cpu, u16 selector, Vector vector = Vector::Gp, u32 external = 0);
/// Reads the upper half of a system descriptor in long mode: #GP beyond the table, or if its type
/// bits are not zero.
void fetch_upper_half(Cpu& cpu, u16 selector, Descriptor& descriptor, Vector vector = Vector::Gp,
                      u32 external = 0);
/// Sets the accessed bit in memory and in `descriptor`.
void mark_accessed(Cpu& cpu, Descriptor& descriptor);
void set_busy(Cpu& cpu, u64 descriptor_address, bool busy);

/// Fills in the hidden part from a descriptor.
SegmentRegister segment_from(u16 selector, const Descriptor& descriptor);

}  // namespace rhea::x86::system
