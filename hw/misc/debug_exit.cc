// SPDX-License-Identifier: GPL-2.0-or-later
// The port through which a test guest ends the emulator.
#include "rhea/hw/isa.h"

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
  }

 protected:
  Result<> realize() override {
    region_.init_io(*this, "isa-debug-exit", iosize_, io<&DebugExit::read, &DebugExit::write>());
    add_port(static_cast<u16>(iobase_), region_);
    return {};
  }

 private:
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64 value, unsigned) { machine().exit(static_cast<int>(value << 1 | 1) & 0xff); }

  u32 iobase_{};
  u32 iosize_{};
  Region region_;
};

const RegisterType<DebugExit> registration;

}  // namespace
}  // namespace rhea::hw
