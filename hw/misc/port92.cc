// SPDX-License-Identifier: GPL-2.0-or-later
// System control port A: fast A20 and fast reset.
#include "rhea/hw/isa.h"
#include "rhea/softmmu/a20.h"
#include "rhea/softmmu/registers.h"

namespace rhea::hw {
namespace {

/// PS/2 system control port A at 0x92: bit 0 resets the machine when it rises, bit 1 opens A20.
/// State: complete; the level of A20 is the board's (whoever wrote last has it). Missing: the disk
/// lights and the password lock (bits 3, 6 and 7).
class Port92 final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "port92";
  static void describe(Schema<Port92>& s) {
    s.help("fast A20 and reset port");
    s.board_only();
    s.registers(&Port92::port_, [](auto reg) {
       return reg("CONTROL", 0, &Port92::value_)
           .writable(kReset | kA20)
           .field("RESET", kReset)
           .field("A20", kA20)
           .after_write(&Port92::written);
     }).at_port(0x92);
  }

 private:
  static constexpr u8 kReset = 0x01;
  static constexpr u8 kA20 = 0x02;

  // A reset leaves the gate alone, since the keyboard controller opens it then.
  void written(u8 value, u8 before) {
    machine().service<A20Gate>().set((value & kA20) != 0);
    if ((value & ~before & kReset) != 0) machine().request_reset(ShutdownCause::GuestReset);
  }

  u8 value_{0};
  RegisterBank port_;
};

const RegisterType<Port92> registration;

}  // namespace
}  // namespace rhea::hw
