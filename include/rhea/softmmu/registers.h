// SPDX-License-Identifier: GPL-2.0-or-later
// Registers, declared once. A table in describe() has one row a register; from it come dispatch,
// reset, saved state with the bits that may be set, names and fields in traces (-trace "edu_*"),
// info device, qom-get, what the tests' fuzzer aims at, and the device's page.
//
//   static void describe(Schema<Uart>& s) {
//     s.registers(&Uart::ports_, [](auto reg) {
//       return reg.bank({.size = 8, .sizes = {.min = 1, .max = 1}},
//                       reg("DATA", 0, 1).read_by(&Uart::receive).write_by(&Uart::send),
//                       reg("ENABLE", 1, &Uart::enable_).writable(0x0f).after_write(&Uart::update),
//                       reg("STATUS", 5, &Uart::status_).read_only().read_clears(kErrors)
//                           .field("READY", 0x01).field("ERROR", kErrors));
//     });
//   }
//   …
//   ports_.init(*this);         // in realize(): a region as any other from here on
//   add_port(0x3f8, ports_);    // or neither, and .at_port(0x3f8) behind the table
//   …
//   RegisterBank ports_;
//
// The words of a row are in register_table.h. What is wrong with a table (overlaps, widths, fields
// outside, effects that contradict each other) is an error of the compiler that says so. Handlers
// written by hand stand beside it: another region, or a range() of this one.
//
// An access of a register's offset and width is as fast as a switch. A register's member may be
// used like any other; it is saved and reset by its row and needs neither s.state() nor a line in
// reset(). Calls come under the region's lock domain, as to all handlers.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/schema.h"
#include "rhea/softmmu/register_check.h"
#include "rhea/softmmu/register_code.h"
#include "rhea/softmmu/register_table.h"

#include <cstddef>
#include <utility>

namespace rhea {

/// A region whose registers the owner's class has declared with Schema::registers().
class RegisterBank : public Region {
 public:
  /// Makes the region; `size` when it shows other than the declared number of bytes. A bank whose
  /// declaration says where it is mapped (at_port(), bar()) is initialised when realize() returns.
  void init(Device& owner, u64 size = 0);

  /// Schema::registers() calls this.
  template <class Self, class Table, class Owner>
  static void declare(TypeInfo& type, RegisterBank Owner::* member) {
    using Code = detail::BankCode<Self, Table>;
    [[maybe_unused]] constexpr detail::RegisterTableIs<Code::problem()> sound;
    type.banks.push_back({.info = &Code::info(), .region = [member](Object& object) -> void* {
                            return &(static_cast<Self&>(object).*member);
                          }});
    Code::declare_state(type.state);
  }
};

/// What is declared of a region; null for regions that are no banks.
const RegisterBankInfo* declared_registers(const Region& region);

}  // namespace rhea
