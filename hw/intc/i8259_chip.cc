// SPDX-License-Identifier: GPL-2.0-or-later
// The registers and the priority logic of one 8259A, without its wiring.
#include "hw/intc/i8259_chip.h"

#include "rhea/util/log.h"

namespace rhea::hw {
namespace {

constexpr u8 bit(unsigned pin) { return static_cast<u8>(1u << pin); }

constexpr u8 kIcw1 = 0x10;
constexpr u8 kIcw1NeedsIcw4 = 0x01;
constexpr u8 kIcw1Single = 0x02;
constexpr u8 kIcw1Level = 0x08;
constexpr u8 kIcw4AutoEoi = 0x02;
constexpr u8 kIcw4SpecialFullyNested = 0x10;
constexpr u8 kOcw3 = 0x08;
constexpr u8 kOcw3ReadIsr = 0x01;
constexpr u8 kOcw3Read = 0x02;
constexpr u8 kOcw3Poll = 0x04;
constexpr u8 kOcw3SpecialMask = 0x20;
constexpr u8 kOcw3EnableSpecialMask = 0x40;

}  // namespace

void I8259Chip::describe(StateFields<I8259Chip>& s) {
  s.state("irr", &I8259Chip::irr_);
  s.state("imr", &I8259Chip::imr_);
  s.state("isr", &I8259Chip::isr_);
  s.state("lines", &I8259Chip::lines_).survives_reset();
  s.state("level-pins", &I8259Chip::level_pins_);
  s.state("cascade-pins", &I8259Chip::cascade_pins_);
  s.state("vector-base", &I8259Chip::vector_base_);
  s.state("lowest-pin", &I8259Chip::lowest_pin_).range(0, 7);
  s.state("step", &I8259Chip::step_).range(0, 3);
  s.state("single", &I8259Chip::single_);
  s.state("needs-icw4", &I8259Chip::needs_icw4_);
  s.state("auto-eoi", &I8259Chip::auto_eoi_);
  s.state("rotate-on-auto-eoi", &I8259Chip::rotate_on_auto_eoi_);
  s.state("special-fully-nested", &I8259Chip::special_fully_nested_);
  s.state("special-mask", &I8259Chip::special_mask_);
  s.state("poll", &I8259Chip::poll_);
  s.state("read-isr", &I8259Chip::read_isr_);
}

void I8259Chip::reset() {
  level_pins_ = 0;
  vector_base_ = 0;
  rotate_on_auto_eoi_ = false;
  start_initialisation(0);
  step_ = Step::Ready;
}

void I8259Chip::set_pin(unsigned pin, bool level) {
  const u8 mask = bit(pin & 7);
  const bool rises = level && (lines_ & mask) == 0;
  lines_ = static_cast<u8>(level ? lines_ | mask : lines_ & ~mask);
  // The edge's latch is cleared by the pin's low level, so that a request lasts only while its pin
  // is high (datasheet, "Edge and Level Triggered Modes").
  if (rises)
    irr_ |= mask;
  else if (!level)
    irr_ &= static_cast<u8>(~mask);
}

void I8259Chip::set_cascade(bool level) {
  cascade_pins_ = bit(kCascadePin);
  set_pin(kCascadePin, level);
}

void I8259Chip::set_level_pins(u8 pins) {
  level_pins_ = pins;
  irr_ = static_cast<u8>((irr_ & ~pins) | (lines_ & pins));
}

u8 I8259Chip::read(unsigned offset) {
  if (poll_) {
    poll_ = false;
    const auto pin = pending();
    if (!pin) return 0;
    acknowledge(*pin);
    return static_cast<u8>(0x80 | *pin);
  }
  if (offset != 0) return imr_;
  return read_isr_ ? isr_ : irr_;
}

void I8259Chip::write(unsigned offset, u8 value) {
  if (offset != 0)
    write_command(value);
  else if ((value & kIcw1) != 0)
    start_initialisation(value);
  else if ((value & kOcw3) != 0)
    select(value);
  else
    operate(value);
}

// What ICW1 does by itself (datasheet, "Initialization Command Words 1 and 2").
void I8259Chip::start_initialisation(u8 icw1) {
  if ((icw1 & kIcw1Level) != 0)
    log_guest("i8259", "ICW1 asks for level-triggered inputs; the chipset's ELCR decides that");
  irr_ = static_cast<u8>(lines_ & following());
  imr_ = 0;
  isr_ = 0;
  lowest_pin_ = 7;
  special_mask_ = false;
  poll_ = false;
  read_isr_ = false;
  single_ = (icw1 & kIcw1Single) != 0;
  needs_icw4_ = (icw1 & kIcw1NeedsIcw4) != 0;
  auto_eoi_ = false;
  special_fully_nested_ = false;
  step_ = Step::Icw2;
}

// A write to the odd port: the next ICW, or OCW1.
void I8259Chip::write_command(u8 value) {
  const Step after_cascade = needs_icw4_ ? Step::Icw4 : Step::Ready;
  switch (step_) {
    case Step::Ready: imr_ = value; break;
    case Step::Icw2:
      vector_base_ = value & 0xf8;
      step_ = single_ ? after_cascade : Step::Icw3;
      break;
    case Step::Icw3:
      // The PC hard-wires the slave to IR2.
      step_ = after_cascade;
      break;
    case Step::Icw4:
      auto_eoi_ = (value & kIcw4AutoEoi) != 0;
      special_fully_nested_ = (value & kIcw4SpecialFullyNested) != 0;
      step_ = Step::Ready;
      break;
  }
}

// OCW2: end of interrupt and rotation.
void I8259Chip::operate(u8 ocw2) {
  const unsigned named = ocw2 & 7;
  // In special mask mode the unspecific EOI passes over masked levels.
  const u8 serving = special_mask_ ? isr_ & static_cast<u8>(~imr_) : isr_;
  switch (ocw2 >> 5) {
    case 0b000: rotate_on_auto_eoi_ = false; break;
    case 0b100: rotate_on_auto_eoi_ = true; break;
    case 0b001:
    case 0b101:
      if (const auto pin = highest(serving)) {
        isr_ &= static_cast<u8>(~bit(*pin));
        if ((ocw2 & 0x80) != 0) lowest_pin_ = static_cast<u8>(*pin);
      }
      break;
    case 0b011: isr_ &= static_cast<u8>(~bit(named)); break;
    case 0b111:
      isr_ &= static_cast<u8>(~bit(named));
      lowest_pin_ = static_cast<u8>(named);
      break;
    case 0b110: lowest_pin_ = static_cast<u8>(named); break;
    default: break;
  }
}

// OCW3: what to read, polling, special mask mode.
void I8259Chip::select(u8 ocw3) {
  poll_ = (ocw3 & kOcw3Poll) != 0;
  if ((ocw3 & kOcw3Read) != 0) read_isr_ = (ocw3 & kOcw3ReadIsr) != 0;
  if ((ocw3 & kOcw3EnableSpecialMask) != 0) special_mask_ = (ocw3 & kOcw3SpecialMask) != 0;
}

std::optional<unsigned> I8259Chip::highest(u8 pins) const {
  for (unsigned rank = 1; rank <= 8; ++rank) {
    const unsigned pin = (lowest_pin_ + rank) & 7;
    if ((pins & bit(pin)) != 0) return pin;
  }
  return std::nullopt;
}

std::optional<unsigned> I8259Chip::pending() const {
  const auto requests = static_cast<u8>(irr_ & ~imr_);
  const auto serving = static_cast<u8>(special_mask_ ? isr_ & ~imr_ : isr_);
  const auto pin = highest(static_cast<u8>(requests | serving));
  if (!pin || (requests & bit(*pin)) == 0) return std::nullopt;
  const bool nests = special_fully_nested_ && (cascade_pins_ & bit(*pin)) != 0;
  if ((serving & bit(*pin)) != 0 && !nests) return std::nullopt;
  return pin;
}

void I8259Chip::acknowledge(unsigned pin) {
  const u8 mask = bit(pin & 7);
  if ((following() & mask) == 0) irr_ &= static_cast<u8>(~mask);
  if (!auto_eoi_)
    isr_ |= mask;
  else if (rotate_on_auto_eoi_)
    lowest_pin_ = static_cast<u8>(pin & 7);
}

}  // namespace rhea::hw
