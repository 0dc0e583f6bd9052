// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of a device's declared registers: names, offsets, bits, and how to get at them.
// Made by Schema::registers() (rhea/softmmu/registers.h); read by monitors, traces, tests and
// pages.
#pragma once

#include "rhea/util/types.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rhea {

class Object;

/// Which accesses are accesses to a register, besides the one of its offset and width.
enum class Reach : u8 {
  Bytes,      ///< any that touches its bytes: those change, the others stay
  Exact,      ///< none
  FromStart,  ///< narrower ones at its offset: the value is extended with zeroes
  Anywhere,   ///< any that starts in it: the value is extended with zeroes, the place is ignored
};

struct RegisterField {
  std::string_view name;
  u64 mask{};                                  ///< adjacent bits
  std::span<const std::string_view> values{};  ///< names of the values 0, 1, …; may be empty

  constexpr bool is_flag() const { return values.empty() && (mask & (mask - 1)) == 0; }
  constexpr u64 of(u64 value) const { return (value & mask) / (mask & -mask); }
};

/// One register, or `count` alike. The functions take the device as its own class, and the
/// machine's lock is held.
struct RegisterInfo {
  std::string_view name;
  std::string_view help;
  u64 offset{};
  unsigned width{};  ///< bytes; 0: a range with handlers of its own
  unsigned count{1};
  u64 stride{};  ///< bytes from one of `count` to the next; of a range: its size
  Reach reach{};
  bool guest_reads{};
  bool guest_writes{};
  bool keeps_at_reset{};
  bool stored{};         ///< in a member, which is saved and reset by the declaration
  u64 reset{};           ///< value after reset
  u64 exists{};          ///< bits that can be set; a load with others is refused
  u64 writable{};        ///< bits that take what the guest writes
  u64 write_1_clears{};  ///< bits that the guest clears by writing ones
  u64 read_clears{};     ///< bits that a read clears
  std::span<const RegisterField> fields{};

  /// As the guest does, with all that follows. `lanes` are the bits that the access touches.
  u64 (*read)(void* device, unsigned index, u64 lanes){};
  void (*write)(void* device, unsigned index, u64 value, u64 lanes){};
  /// Without consequences; nothing when only the guest's read would tell.
  std::optional<u64> (*peek)(const void* device, unsigned index){};
  u64 (*read_range)(void* device, u64 offset, unsigned size){};
  void (*write_range)(void* device, u64 offset, u64 value, unsigned size){};

  constexpr bool is_range() const { return width == 0; }
  constexpr u64 end() const {
    return offset + (is_range() ? stride : (count - 1) * stride + width);
  }
};

/// The registers of one region.
struct RegisterBankInfo {
  std::string_view name;
  u64 size{};  ///< bytes; a device may show fewer
  unsigned min_access{};
  unsigned max_access{};
  bool unaligned{};
  u64 elsewhere{};  ///< what a read of nothing gives, cut to the access
  std::span<const RegisterInfo> rows;
  void (*reset)(void* device){};
  void* (*self)(Object& object){};  ///< the object as its own class, for the functions of rows
};

/// A bank as a class has it, and where it is mapped when the declaration says so.
struct DeclaredBank {
  const RegisterBankInfo* info{};
  std::function<void*(Object&)> region;  ///< address of the member, a RegisterBank
  std::function<u64(const Object&)> port{};
  std::function<u64(const Object&)> shown_bytes{};  ///< fewer than declared; empty: all
  std::optional<unsigned> bar{};
  bool bar_of_ports{false};
};

/// "STATUS", "DATA[3]".
std::string register_name(const RegisterInfo& row, unsigned index);
/// "FACTORIAL DMA", "ENABLE MODE=fast"; flags by name when set, other fields always.
std::string fields_text(const RegisterInfo& row, u64 value);

struct TypeInfo;
struct FoundRegister {
  const RegisterBankInfo* bank{};
  const RegisterInfo* row{};
  unsigned index{};
};
/// The register of this name ("STATUS", "DATA[3]") of a type or one of its bases.
std::optional<FoundRegister> find_register(const TypeInfo& type, std::string_view name);
/// The current value, without consequences for the guest.
std::optional<u64> peek_register(const Object& object, const FoundRegister& found);
/// To their reset values, those of the bases first. Part of every device's reset.
void reset_registers(Object& object);

}  // namespace rhea
