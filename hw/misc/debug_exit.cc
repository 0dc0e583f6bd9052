// SPDX-License-Identifier: GPL-2.0-or-later
// The port through which a test guest ends the emulator.
#include "rhea/hw/isa.h"
#include "rhea/softmmu/registers.h"

namespace rhea::hw {
namespace {

/// Not hardware: a write of `v` ends the emulator with status v * 2 + 1, so that 0 stays the mark
/// of an orderly end.
/// State: none. Missing: nothing.
class DebugExit final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-debug-exit";
  static void describe(Schema<DebugExit>& s) {
    s.help("port that ends the emulator with status value * 2 + 1");
    s.property("iobase", &DebugExit::iobase_, u32{0x501}).range(0, 0xffff).help("I/O port");
    s.property("iosize", &DebugExit::iosize_, u32{2}).range(1, 4).help("how many ports");
    s.registers(&DebugExit::port_, [](auto reg) {
       return reg("EXIT", 0, 4).reach(Reach::Anywhere).constant(0).write_by(&DebugExit::exit);
     }).at_port(&DebugExit::iobase_, &DebugExit::iosize_);
  }

 private:
  void exit(u64 value) { machine().exit(static_cast<int>(value << 1 | 1) & 0xff); }

  u32 iobase_{};
  u32 iosize_{};
  RegisterBank port_;
};

const RegisterType<DebugExit> registration;

}  // namespace
}  // namespace rhea::hw
