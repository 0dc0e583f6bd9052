// SPDX-License-Identifier: GPL-2.0-or-later
// A port of virtio's console device, between its queues and a chardev.
#pragma once

#include "hw/virtio/virtio_serial.h"
#include "rhea/chardev/chardev_port.h"

#include <string>

namespace rhea::hw {

/// Its lock is that of the device that it is plugged into. What the chardev does not take stays in
/// the driver's buffers, and what comes waits at the other end until there are some.
class VirtioSerialPort : public Device {
 public:
  static constexpr std::string_view kName = "virtio-serial-port";
  static constexpr std::string_view kBus = VirtioSerialBus::kName;
  using Extendable = VirtioSerialPort;
  static void describe(Schema<VirtioSerialPort>& s);

  bool is_console() const { return console_; }
  u32 number() const { return number_; }
  void set_number(u32 number) { number_ = number; }
  const std::string& label() const { return label_; }

  // For the device, in its domain.
  /// Sends a buffer of the driver's, or the rest of one, of so many bytes as are left in this turn;
  /// false when that, or the other end, does not take it all now. When it is stalled() the device
  /// is asked to try again when it may. A console's rest is lost, since its driver waits for it and
  /// does nothing else.
  bool send(VirtQueue& queue, const VirtBuffer& buffer, u64& bytes);
  bool stalled() const { return stalled_; }
  /// Buffers may have come, or leave to send.
  void look_again() { news_.schedule(); }
  void send_character(u8 character);
  void set_ready(bool on) { ready_ = on; }
  void set_guest_open(bool on);
  /// Whether the driver thinks wrongly of the other end, until take_open().
  bool has_opened_or_closed() const { return ready_ && told_open_ != peer_; }
  bool peer() const { return peer_; }
  void take_open() { told_open_ = peer_; }
  void forget_driver();
  void forget_buffer() { sent_ = 0; }

 protected:
  explicit VirtioSerialPort(bool console) : console_(console) {}
  Result<> realize() override;
  Result<> post_load(unsigned version) override;

 private:
  static constexpr u32 kAnyNumber = ~u32{0};
  static constexpr std::size_t kPiece = 4 * KiB;

  std::size_t room();
  void receive(std::span<const u8> data);
  void hear(ChardevEvent event);
  void go_on();
  void tell();

  const bool console_;
  ChardevPort chardev_;
  std::string label_;
  u32 number_{};

  VirtioSerial* serial_{};
  bool peer_{false};  ///< somebody is at the other end
  bool ready_{false}, guest_open_{false}, told_open_{false};
  bool stalled_{false};
  u64 sent_{0};  ///< bytes of the next buffer
  bool told_guest_open_{false};
  Deferred news_;
  VirtBuffer buffer_;
  std::array<u8, kPiece> piece_{};
};

}  // namespace rhea::hw
