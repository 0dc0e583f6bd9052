// SPDX-License-Identifier: GPL-2.0-or-later
// What sits at the other end of a PS/2 cable.
#pragma once

#include "hw/input/byte_queue.h"
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

namespace rhea::hw {

/// A keyboard or a mouse, seen from the controller: bytes go there, bytes come back. Output "" 0 is
/// high while some wait. Answers to commands overtake what the device says by itself.
class Ps2Device : public Device {
 public:
  static constexpr std::string_view kName = "ps2-device";
  using Extendable = Ps2Device;
  static void describe(Schema<Ps2Device>& s);

  Ps2Device() { init_gpio_out("", ready_); }

  /// A byte from the controller: a command or its argument.
  virtual void receive(u8 byte) = 0;
  bool has_data() const { return !answers_.empty() || !events_.empty(); }
  /// The next byte; 0 when there is none.
  u8 take();

  Result<> post_load(unsigned version) override;

 protected:
  static constexpr u8 kAck = 0xfa;
  static constexpr u8 kSelfTestPassed = 0xaa;
  static constexpr u8 kResend = 0xfe;

  /// The queue of events has got room.
  virtual void refill() {}
  void answer(std::initializer_list<u8> bytes);
  /// The last byte sent, once more.
  void answer_again() { answer({last_}); }
  /// What the device says by itself; false, and nothing queued, where it does not fit.
  bool tell(std::span<const u8> bytes);
  u8 events_waiting() const { return events_.size(); }
  void drop_events();
  void drop_everything();

 private:
  void update() { ready_.set(has_data()); }

  IrqOutput ready_;
  ByteQueue<8> answers_;
  ByteQueue<17> events_;
  u8 last_{0};
};

}  // namespace rhea::hw
