// SPDX-License-Identifier: GPL-2.0-or-later
// System control port A: fast A20 and fast reset.
#include "hw/misc/trace_events.h"
#include "rhea/hw/isa.h"

namespace rhea::hw {
namespace {

/// PS/2 system control port A at 0x92: bit 0 resets the machine when it rises, bit 1 opens A20
/// (output "a20" 0).
/// State: complete; the level of A20 is the board's (whoever wrote last has it). Missing: the disk
/// lights and the password lock (bits 3, 6 and 7).
class Port92 final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "port92";
  static void describe(Schema<Port92>& s) {
    s.help("fast A20 and reset port");
    s.board_only();
    s.state("value", &Port92::value_).range(0, kReset | kA20);
  }

  Port92() { init_gpio_out("a20", a20_); }

 protected:
  Result<> realize() override {
    region_.init_io(*this, "port92", 1, io<&Port92::read, &Port92::write>({.min = 1, .max = 1}));
    add_port(0x92, region_);
    return {};
  }

  // Leaves A20 alone: the keyboard controller, which has the same line, opens it.
  void reset(ResetKind) override { value_ = 0; }

 private:
  static constexpr u8 kReset = 0x01;
  static constexpr u8 kA20 = 0x02;

  u64 read(u64, unsigned) { return value_; }

  void write(u64, u64 value, unsigned) {
    port92_write(value);
    const u8 old = value_;
    value_ = value & (kReset | kA20);
    // The line belongs to whoever wrote last, this port or the keyboard controller.
    a20_.set((value_ & kA20) != 0);
    a20_.repeat();
    if ((value_ & ~old & kReset) != 0) machine().request_reset(ShutdownCause::GuestReset);
  }

  u8 value_{0};
  IrqOutput a20_;
  Region region_;
};

const RegisterType<Port92> registration;

}  // namespace
}  // namespace rhea::hw
