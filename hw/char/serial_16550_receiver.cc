// SPDX-License-Identifier: GPL-2.0-or-later
// The UART's receiver: characters from the line on their way to the guest.
#include "hw/char/serial_16550.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea::hw {

std::size_t Serial16550::room() const {
  if (loopback() || incoming_timer_.armed()) return 0;
  const unsigned free =
      fifos_on() ? SerialFifo::kSize - receiver_.count() : unsigned{receiver_.empty()};
  return line_time_ ? std::min(free, 1U) : free;
}

void Serial16550::receive(std::span<const u8> data) {
  if (line_time_ && !data.empty()) {
    incoming_ = word(data.front());
    return incoming_timer_.arm_in(character_ns());
  }
  for (const u8 character : data) push(word(character), 0);
  update_irq();
}

void Serial16550::chardev_event(ChardevEvent event) {
  if (event != ChardevEvent::Break || loopback()) return;
  push(0, kBreak);
  update_irq();
}

// Without FIFOs the newest character stays, with them the newest is lost.
void Serial16550::push(u8 character, u8 errors) {
  const bool full = fifos_on() ? receiver_.full() : !receiver_.empty();
  if (full) errors_ |= kOverrun;
  if (full && fifos_on()) return;
  if (full) receiver_.clear();
  receiver_.push(character, errors);
  if (receiver_.count() == 1) reveal_errors();
  restart_timeout();
}

u8 Serial16550::read_receiver() {
  const u8 character = receiver_.pop();
  reveal_errors();
  timeout_ = false;
  restart_timeout();
  update_irq();
  accept_input();
  return character;
}

void Serial16550::accept_input() {
  if (room() != 0) chardev_->accept_input();
}

void Serial16550::restart_timeout() {
  if (fifos_on() && !receiver_.empty())
    timeout_timer_.arm_in(4 * character_ns());
  else
    timeout_timer_.cancel();
}

}  // namespace rhea::hw
