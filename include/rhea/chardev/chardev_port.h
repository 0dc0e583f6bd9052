// SPDX-License-Identifier: GPL-2.0-or-later
// A device's end of a chardev.
#pragma once

#include "rhea/chardev/chardev.h"

namespace rhea {

/// What `chardev=` of a device leads to. A member, and the property itself:
/// `s.link("chardev", &Uart::port_)`. Attached in realize(), let go of when the device is
/// unrealized or destroyed. While it leads nowhere, what is written is dropped, as is every other
/// call. It follows chardev-change by itself. Under the machine's lock.
class ChardevPort final : public ObjectMember {
 public:
  using Target = Chardev;
  ChardevPort() = default;
  ~ChardevPort() override { lead_to(nullptr); }

  /// From realize(): the functions that hear of the other side, as far as they are wanted
  /// (`owner` is not). `moved` is called when the port leads to another back end.
  Result<> attach(Chardev::FrontEnd functions);
  void detach();
  explicit operator bool() const { return chardev_ != nullptr; }
  Chardev* target() const { return chardev_; }
  /// Before attach().
  void lead_to(Chardev* chardev);

  // Chardev's.
  std::size_t write(std::span<const u8> data) {
    return chardev_ != nullptr ? chardev_->write(data) : data.size();
  }
  void accept_input() const {
    if (chardev_ != nullptr) chardev_->accept_input();
  }
  void set_serial_line(const SerialLine& line) const {
    if (chardev_ != nullptr) chardev_->set_serial_line(line);
  }
  void set_break(bool on) const {
    if (chardev_ != nullptr) chardev_->set_break(on);
  }
  void set_modem_control(bool dtr, bool rts) const {
    if (chardev_ != nullptr) chardev_->set_modem_control(dtr, rts);
  }
  std::optional<ModemLines> modem_lines() const {
    return chardev_ != nullptr ? chardev_->modem_lines() : std::nullopt;
  }

 protected:
  void end() override { detach(); }

 private:
  friend class Chardev;
  void move_to(Chardev& next);

  Chardev* chardev_{};
  bool attached_{false};
};

}  // namespace rhea
