// SPDX-License-Identifier: GPL-2.0-or-later
// The watchdog of iBASE's IB700 single-board computers.
#include "rhea/hw/isa.h"
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/registers.h"

namespace rhea::hw {
namespace {

/// iBASE IB700 watchdog (the board's manual, "Watchdog timer"): a write to port 0x443 starts it, by
/// the lower four bits for 30 seconds less two for each, and starts it again before it expires; a
/// write of anything to 0x441 stops it. State: complete. Missing: nothing.
class Ib700 final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "ib700";
  static void describe(Schema<Ib700>& s) {
    s.help("iBASE IB700 watchdog");
    s.registers(&Ib700::ports_, [](auto reg) {
       return reg.bank(
           {.name = "ib700", .size = 3, .sizes = {.min = 1, .max = 1}},
           reg("STOP", 0, 1).write_only().write_by(&Ib700::stop),
           reg("START", 2, 1).write_only().write_by(&Ib700::start).field("TIME", kTime));
     }).at_port(kFirstPort);
    s.state("timer", &Ib700::timer_);
  }

 protected:
  Result<> realize() override {
    timer_.init(machine().virtual_clock(),
                [this] { machine().service<MachineActions>().watchdog_expired(); });
    return {};
  }
  void reset(ResetKind) override { timer_.cancel(); }

 private:
  static constexpr u16 kFirstPort = 0x441;
  static constexpr u8 kTime = 0x0f;
  static constexpr i64 kLongest = 30, kStep = 2;  // seconds

  void stop(u8) { timer_.cancel(); }
  void start(u8 value) { timer_.arm_in((kLongest - kStep * (value & kTime)) * kNsPerSecond); }

  Timer timer_;
  RegisterBank ports_;
};

const RegisterType<Ib700> registration;

}  // namespace
}  // namespace rhea::hw
