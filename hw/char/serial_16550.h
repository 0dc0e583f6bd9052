// SPDX-License-Identifier: GPL-2.0-or-later
// The UART of serial ports, whatever bus they are on.
#pragma once

#include "hw/char/serial_fifo.h"
#include "rhea/chardev/chardev_port.h"
#include "rhea/qom/device.h"
#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/region.h"

namespace rhea::hw {

/// NS16550AF (datasheet). A serial port has one as its child, maps ports() and wires irq().
/// Characters pass at once, or with line time on take as long as divisor and format say: then
/// sending goes through the shift register, with THRE and TEMT as the datasheet's FIFO modes have
/// them, and what is received is there at its end (the other side waits while there is no room).
/// Words have the line control register's length, from the guest's first write to it on: programs
/// that never set the port up are heard all the same.
/// A serial device of the host behind it follows the line's rate, format, breaks, DTR and RTS.
/// State: complete. Missing: parity and framing errors (a chardev has none), DMA mode. CTS, DSR and
/// DCD are on, or a host device's, whose changes show when the guest reads them: no interrupt.
class Serial16550 final : public Device {
 public:
  static constexpr std::string_view kName = "serial";
  static void describe(Schema<Serial16550>& s);
  Serial16550() { init_gpio_out("", irq_); }

  /// Before realize: where the line leads, the input clock divided by 16, and whether characters
  /// take their time.
  void configure(ChardevPort& chardev, u32 baud_base, bool line_time) {
    chardev_ = &chardev;
    baud_base_ = baud_base;
    line_time_ = line_time;
  }
  /// The eight registers; initialised while realized.
  Region& ports() { return ports_; }
  IrqOutput& irq() { return irq_; }

  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
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
  void pass_at_once();
  void begin_character();
  void end_character();
  void holding_register_is_empty();
  void holding_register_shows_empty();
  void clear_transmitter();
  bool hand_over(u8 character);
  void restart_timeout();
  void set_modem_lines();
  void write_line_control(u8 value);
  void tell_line() const;
  void moved();

  bool fifos_on() const;
  bool loopback() const;
  bool dlab() const;
  unsigned trigger() const;
  i64 bits_ns(i64 bits) const;
  i64 stop_bits() const { return (line_control_ & kTwoStopBits) != 0 ? 2 : 1; }
  i64 character_ns() const;
  u8 word(u8 character) const;
  u8 transmitter_status() const;
  u8 line_status() const;
  u8 interrupt_id() const;
  void update_irq();

  // Line status: overrun, break, THRE and TEMT. Line control.
  static constexpr u8 kOverrun = 0x02, kBreak = 0x10;
  static constexpr u8 kHoldingEmpty = 0x20, kShiftEmpty = 0x40;
  static constexpr u8 kWordLength = 0x03, kTwoStopBits = 0x04, kParity = 0x08, kEvenParity = 0x10,
                      kSendBreak = 0x40, kDlab = 0x80;

  ChardevPort nowhere_;
  ChardevPort* chardev_{&nowhere_};
  u32 baud_base_{115200};
  bool line_time_{false};

  u16 divisor_{12};
  u8 interrupt_enable_{0};
  u8 fifo_control_{0};
  u8 line_control_{0};
  bool format_set_{false};  ///< the guest has written the line control register
  u8 modem_control_{0};
  u8 modem_status_{0};
  u8 scratch_{0};
  u8 errors_{0};  ///< error bits of the line status register
  bool transmitter_interrupt_{false};
  bool timeout_{
      false};  ///< characters below the trigger level have waited for four character times
  SerialFifo receiver_;
  SerialFifo transmitter_;  ///< the holding register, or the FIFO

  // With line time.
  bool shifting_{false};  ///< a character is in the shift register
  u8 shift_{0};
  bool shows_empty_{true};  ///< THRE
  u8 most_{0};              ///< so many were together in the FIFO since THRE was last set
  u8 incoming_{0};          ///< arrives when its timer expires
  Timer shift_timer_, empty_timer_, incoming_timer_;

  IrqOutput irq_;
  Timer timeout_timer_;
  Region ports_;
};

}  // namespace rhea::hw
