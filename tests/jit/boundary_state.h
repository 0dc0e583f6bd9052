// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of a host's registers at a place in emitted code.
#pragma once

#include "tests/jit/address_sum.h"

#include <algorithm>

namespace rhea::test {

/// What a register holds.
enum class Holds : u8 {
  Anything,
  Small,      ///< an offset in a JumpTable
  Rotated,    ///< an address without its offset in the page, on the way to an index
  Page,       ///< a page's address
  Offset,     ///< an offset in a page
  TlbIndex,   ///< masked by the size of the tables
  ReadEntry,  ///< address of an entry
  WriteEntry,
  JumpEntry,
  ReadChecked,  ///< of one that is the address's
  WriteChecked,
  JumpChecked,
  ReadAddend,  ///< what makes a host address, or one
  WriteAddend,
  Code,  ///< address of host code
};

/// What is known of a value.
struct Known {
  Holds holds{};
  /// Anything: the value. Page, Offset: of what address. TlbIndex, an entry: by which address it
  /// was found.
  AddressSum at{};
  i64 mask{};  ///< Page: what of the address it is
  /// Checked, addends: how far before and behind it all bytes are on the page, itself the last one
  /// behind. Of an addend to which nothing has been added, that is from address 0.
  AddressSum before{}, behind{};
  /// Something has been added to it.
  Known& move(const AddressSum& by) {
    before = before + by;
    behind = behind - by;
    return *this;
  }
  template <class Visit>
  void visit(Visit visit) {
    for (AddressSum* const each : {&at, &before, &behind}) visit(*each);
  }
  friend bool operator==(const Known&, const Known&) = default;
};

constexpr unsigned kTemporaries = 2;
class HostState {
 public:
  std::array<Known, 16> reg{};
  std::array<Known, kTemporaries> temporary{};
  int compared{-1};  ///< register with the entry that the flags are about
  Known with{};      ///< what it was compared with
  int limited{-1};   ///< register with an Offset that the flags are about
  i64 limit{};
  /// All that is known of values.
  template <class Visit>
  void visit(Visit visit) {
    for (Known& each : reg) visit(each);
    for (Known& each : temporary) visit(each);
    visit(with);
  }
  /// A register becomes that. What was copied before goes by its copy.
  void put(unsigned register_number, Known made, CutSums& cuts);
  /// So many bytes of the state are written.
  void forget_state(i64 from, i64 size, const CutSums& cuts);
  friend bool operator==(const HostState&, const HostState&) = default;

 private:
  void forget_register(unsigned number, std::optional<i64> by, const CutSums& cuts);
  void rename(unsigned from, unsigned to, CutSums& cuts);
};

/// What holds of both.
HostState meet(const HostState& a, const HostState& b);

}  // namespace rhea::test
