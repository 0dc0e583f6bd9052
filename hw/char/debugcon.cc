// SPDX-License-Identifier: GPL-2.0-or-later
// The debug console: a port whose bytes go straight to a chardev.
#include "hw/char/trace_events.h"
#include "rhea/chardev/chardev.h"
#include "rhea/hw/isa.h"

namespace rhea::hw {
namespace {

/// Bochs's debug console. A read gives a fixed value, by which guests find it.
/// State: none. Missing: nothing.
class DebugConsole final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-debugcon";
  static void describe(Schema<DebugConsole>& s) {
    s.help("debug console port");
    s.property("iobase", &DebugConsole::iobase_, u32{0xe9}).range(0, 0xffff).help("I/O port");
    s.property("readback", &DebugConsole::readback_, u32{0xe9}).help("what a read gives");
    s.link("chardev", &DebugConsole::chardev_).help("where the bytes go");
  }

 protected:
  Result<> realize() override {
    Chardev::FrontEnd front_end;
    front_end.owner = this;
    if (chardev_ != nullptr) TRY(chardev_->attach(std::move(front_end)));
    region_.init_io(*this, "isa-debugcon", 1,
                    io<&DebugConsole::read, &DebugConsole::write>({.min = 1, .max = 1}));
    add_port(static_cast<u16>(iobase_), region_);
    return {};
  }

  void unrealize() override {
    if (chardev_ != nullptr) chardev_->detach(this);
    IsaDevice::unrealize();
  }

 private:
  u64 read(u64, unsigned) { return readback_; }

  void write(u64, u64 value, unsigned) {
    debugcon_write(value);
    const auto byte = static_cast<u8>(value);
    if (chardev_ != nullptr) chardev_->write_all({&byte, 1});
  }

  u32 iobase_{};
  u32 readback_{};
  Chardev* chardev_{};
  Region region_;
};

const RegisterType<DebugConsole> registration;

}  // namespace
}  // namespace rhea::hw
