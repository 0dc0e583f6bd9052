// SPDX-License-Identifier: GPL-2.0-or-later
// The debug console: a port whose bytes go straight to a chardev.
#include "rhea/chardev/chardev_port.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/registers.h"
#include "rhea/softmmu/vcpu_gate.h"
#include "rhea/util/log.h"

#include <vector>

namespace rhea::hw {
namespace {

// What may wait for the peer; a vCPU is held back after the first byte of it.
constexpr std::size_t kMaxWaiting = 64 * KiB;

/// Bochs's debug console. A read gives a fixed value, by which guests find it. The port has no
/// status: where the peer does not read, the writing vCPU is held back, alone and outside all
/// locks, so that nothing is lost.
/// State: none. Missing: nothing.
class DebugConsole final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-debugcon";
  static void describe(Schema<DebugConsole>& s) {
    s.help("debug console port");
    s.property("iobase", &DebugConsole::iobase_, u32{0xe9}).range(0, 0xffff).help("I/O port");
    s.property("readback", &DebugConsole::readback_, u32{0xe9}).help("what a read gives");
    s.link("chardev", &DebugConsole::chardev_).help("where the bytes go");
    s.registers(&DebugConsole::port_, [](auto reg) {
       return reg("DATA", 0, 1).read_by(&DebugConsole::readback).write_by(&DebugConsole::write);
     }).at_port(&DebugConsole::iobase_);
  }

 protected:
  Result<> realize() override {
    on_unrealize([this] { gate_.open(); });
    return chardev_.attach({.can_receive = {},
                            .receive = {},
                            .event = [this](ChardevEvent) { flush(); },
                            .can_send = [this] { flush(); },
                            .moved = [this](Chardev&) { flush(); }});
  }

 private:
  u32 readback() const { return readback_; }

  void write(u8 byte) {
    if (waiting_.empty() && chardev_.write({&byte, 1}) == 1) return;
    if (waiting_.size() >= kMaxWaiting) return log_guest("isa-debugcon", "a byte is lost");
    waiting_.push_back(byte);
    gate_.hold_back();
  }

  void flush() {
    const std::size_t sent = waiting_.empty() ? 0 : chardev_.write(waiting_);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
    if (waiting_.empty()) gate_.open();
  }

  u32 iobase_{};
  u32 readback_{};
  ChardevPort chardev_;
  RegisterBank port_;
  std::vector<u8> waiting_;  ///< for the peer to read
  VcpuGate gate_;
};

const RegisterType<DebugConsole> registration;

}  // namespace
}  // namespace rhea::hw
