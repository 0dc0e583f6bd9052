// SPDX-License-Identifier: GPL-2.0-or-later
// The UART of serial ports, whatever bus they are on.
#pragma once

#include "hw/char/serial_fifo.h"
#include "rhea/chardev/chardev.h"
#include "rhea/qom/device.h"
#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/region.h"

namespace rhea::hw {

/// NS16550AF (datasheet). A serial port has one as its child, maps ports() and wires irq().
/// State: complete. Missing: pacing of the transmitter (it is done at once), parity and framing
/// errors (a chardev has none), DMA mode, sending breaks. CTS, DSR and DCD are always on.
class Serial16550 final : public Device {
 public:
  static constexpr std::string_view kName = "serial";
  static void describe(Schema<Serial16550>& s);
  Serial16550() { init_gpio_out("", irq_); }

  /// Before realize: where the line leads (null: nowhere), and the input clock divided by 16.
  void configure(Chardev* chardev, u32 baud_base) {
    chardev_ = chardev;
    baud_base_ = baud_base;
  }
  /// The eight registers; initialised while realized.
  Region& ports() { return ports_; }
  IrqOutput& irq() { return irq_; }

  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void unrealize() override;
  void reset(ResetKind kind) override;
  void reset_exit(ResetKind kind) override;

 private:
  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);
  u8 read_receiver();
  u8 read_interrupt_id();
  u8 read_line_status();
  void write_transmitter(u8 value);
  void write_interrupt_enable(u8 value);
  void write_fifo_control(u8 value);
  void write_modem_control(u8 value);
  void divisor_changed() const;

  std::size_t room() const;
  void receive(std::span<const u8> data);
  void chardev_event(ChardevEvent event);
  void push(u8 character, u8 errors);
  void reveal_errors() { errors_ |= receiver_.take_errors(); }
  void accept_input();
  void transmit();
  void restart_timeout();
  void set_modem_lines();

  bool fifos_on() const;
  bool loopback() const;
  bool dlab() const;
  unsigned trigger() const;
  i64 character_ns() const;
  u8 line_status() const;
  u8 interrupt_id() const;
  void update_irq();

  Chardev* chardev_{};
  u32 baud_base_{115200};

  u16 divisor_{12};
  u8 interrupt_enable_{0};
  u8 fifo_control_{0};
  u8 line_control_{0};
  u8 modem_control_{0};
  u8 modem_status_{0};
  u8 scratch_{0};
  u8 errors_{0};  ///< error bits of the line status register
  bool transmitter_interrupt_{false};
  bool timeout_{
      false};  ///< characters below the trigger level have waited for four character times
  SerialFifo receiver_;
  SerialFifo transmitter_;

  IrqOutput irq_;
  Timer timeout_timer_;
  Region ports_;
};

}  // namespace rhea::hw
