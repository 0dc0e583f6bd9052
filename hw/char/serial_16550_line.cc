// SPDX-License-Identifier: GPL-2.0-or-later
// The transmitter of a 16550: at once, or as fast as the line.
#include "hw/char/serial_16550.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {

void Serial16550::write_transmitter(u8 value) {
  transmitter_interrupt_ = false;
  update_irq();
  if (!fifos_on()) transmitter_.clear();
  if (transmitter_.full()) return log_guest("serial", "transmitter overrun");
  transmitter_.push(word(value));
  most_ = std::max(most_, transmitter_.count());
  shows_empty_ = false;
  empty_timer_.cancel();
  transmit();
}

// Sends what can be sent now.
void Serial16550::transmit() {
  if (!line_time_) return pass_at_once();
  // The other side had no room for the one that has been sent.
  if (shifting_ && !shift_timer_.armed()) return end_character();
  begin_character();
}

// The rest goes when the other side says that it has room.
void Serial16550::pass_at_once() {
  if (transmitter_.empty()) return;
  while (!transmitter_.empty()) {
    if (loopback()) {
      push(transmitter_.pop(), 0);
      continue;
    }
    const std::span<const u8> data = transmitter_.front();
    const std::size_t sent = chardev_->write(data);
    transmitter_.drop(sent);
    if (sent < data.size()) return;
  }
  holding_register_shows_empty();
}

void Serial16550::begin_character() {
  if (shifting_ || transmitter_.empty()) return;
  shift_ = transmitter_.pop();
  shifting_ = true;
  shift_timer_.arm_in(character_ns());
  if (transmitter_.empty()) holding_register_is_empty();
}

// The other side gets the character when its last bit has gone.
void Serial16550::end_character() {
  if (!hand_over(shift_)) return;
  shifting_ = false;
  begin_character();
  update_irq();
}

bool Serial16550::hand_over(u8 character) {
  if (!loopback()) return chardev_->write({&character, 1}) == 1;
  push(character, 0);
  return true;
}

// With FIFOs on, software that sends one character at a time is told late (datasheet, "FIFO
// Interrupt Mode Operation"): it would be interrupted for each of them twice as often.
void Serial16550::holding_register_is_empty() {
  if (!fifos_on() || most_ > 1) return holding_register_shows_empty();
  empty_timer_.arm_in(character_ns() - bits_ns(stop_bits()));
}

void Serial16550::holding_register_shows_empty() {
  shows_empty_ = true;
  most_ = 0;
  transmitter_interrupt_ = true;
  update_irq();
}

// The shift register goes on.
void Serial16550::clear_transmitter() {
  if (shows_empty_ && transmitter_.empty()) return;
  transmitter_.clear();
  empty_timer_.cancel();
  holding_register_shows_empty();
}

u8 Serial16550::transmitter_status() const {
  if (!line_time_) return transmitter_.empty() ? kHoldingEmpty | kShiftEmpty : 0;
  if (!shows_empty_) return 0;
  return shifting_ ? kHoldingEmpty : kHoldingEmpty | kShiftEmpty;
}

}  // namespace rhea::hw
