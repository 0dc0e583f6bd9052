// SPDX-License-Identifier: GPL-2.0-or-later
// The UART of serial ports, whatever bus they are on.
#include "hw/char/serial_16550.h"

#include "hw/char/trace_events.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

enum Register : u8 {
  kData = 0,             // and the divisor's low byte
  kInterruptEnable = 1,  // and its high byte
  kInterruptId = 2,
  kFifoControl = 2,
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5,
  kModemStatus = 6,
  kScratch = 7,
};

// Interrupt enable.
constexpr u8 kReceiveEnable = 0x01;
constexpr u8 kTransmitEnable = 0x02;
constexpr u8 kErrorEnable = 0x04;
constexpr u8 kModemEnable = 0x08;

// Interrupt identification, highest priority first.
constexpr u8 kErrorInterrupt = 0x06;
constexpr u8 kReceiveInterrupt = 0x04;
constexpr u8 kTimeoutInterrupt = 0x0c;
constexpr u8 kTransmitInterrupt = 0x02;
constexpr u8 kModemInterrupt = 0x00;
constexpr u8 kNoInterrupt = 0x01;
constexpr u8 kIdFifos = 0xc0;

// FIFO control.
constexpr u8 kFifosOn = 0x01;
constexpr u8 kClearReceiver = 0x02;
constexpr u8 kClearTransmitter = 0x04;
constexpr u8 kFifoControlKept = 0xc9;

// Modem control.
constexpr u8 kDtr = 0x01;
constexpr u8 kRts = 0x02;
constexpr u8 kOut1 = 0x04;
constexpr u8 kOut2 = 0x08;
constexpr u8 kLoop = 0x10;

// Line status.
constexpr u8 kDataReady = 0x01;
constexpr u8 kErrorInFifo = 0x80;

// Modem status: lines, and their changes four bits below.
constexpr u8 kCts = 0x10;
constexpr u8 kDsr = 0x20;
constexpr u8 kRi = 0x40;
constexpr u8 kDcd = 0x80;
constexpr u8 kLines = 0xf0;
constexpr u8 kChanges = 0x0f;

}  // namespace

void Serial16550::describe(Schema<Serial16550>& s) {
  s.help("16550A UART");
  s.board_only();
  s.state("divisor", &Serial16550::divisor_);
  s.state("interrupt-enable", &Serial16550::interrupt_enable_).range(0, 0x0f);
  s.state("fifo-control", &Serial16550::fifo_control_);
  s.state("line-control", &Serial16550::line_control_);
  s.state("format-set", &Serial16550::format_set_);
  s.state("modem-control", &Serial16550::modem_control_).range(0, 0x1f);
  s.state("modem-status", &Serial16550::modem_status_);
  s.state("scratch", &Serial16550::scratch_);
  s.state("errors", &Serial16550::errors_);
  s.state("transmitter-interrupt", &Serial16550::transmitter_interrupt_);
  s.state("timeout", &Serial16550::timeout_);
  s.state("receiver", &Serial16550::receiver_);
  s.state("transmitter", &Serial16550::transmitter_);
  s.state("timeout-timer", &Serial16550::timeout_timer_);
  s.state("shifting", &Serial16550::shifting_);
  s.state("shift", &Serial16550::shift_);
  s.state("shows-empty", &Serial16550::shows_empty_);
  s.state("most", &Serial16550::most_);
  s.state("incoming", &Serial16550::incoming_);
  s.state("shift-timer", &Serial16550::shift_timer_);
  s.state("empty-timer", &Serial16550::empty_timer_);
  s.state("incoming-timer", &Serial16550::incoming_timer_);
}

Result<> Serial16550::realize() {
  if (baud_base_ == 0) return fail("Property 'baudbase' must not be 0");
  TRY(chardev_->attach({.can_receive = [this] { return room(); },
                        .receive = [this](std::span<const u8> data) { receive(data); },
                        .event = [this](ChardevEvent event) { chardev_event(event); },
                        .can_send = [this] { transmit(); },
                        .moved = [this](Chardev&) { moved(); }}));
  timeout_timer_.init(machine().virtual_clock(), [this] {
    timeout_ = !receiver_.empty();
    update_irq();
  });
  shift_timer_.init(machine().virtual_clock(), [this] { end_character(); });
  empty_timer_.init(machine().virtual_clock(), [this] { holding_register_shows_empty(); });
  incoming_timer_.init(machine().virtual_clock(), [this] {
    if (!loopback()) push(incoming_, 0);
    update_irq();
    accept_input();
  });
  ports_.init_io(
      *this, "serial", 8,
      io<&Serial16550::read, &Serial16550::write>({.min = 1, .max = 4}, {.min = 1, .max = 1}));
  return {};
}

void Serial16550::reset(ResetKind) {
  divisor_ = 12;
  interrupt_enable_ = 0;
  fifo_control_ = 0;
  line_control_ = 0;
  format_set_ = false;
  modem_control_ = 0;
  scratch_ = 0;
  errors_ = 0;
  transmitter_interrupt_ = false;
  timeout_ = false;
  receiver_.clear();
  transmitter_.clear();
  shifting_ = false;
  shift_ = 0;
  incoming_ = 0;
  shows_empty_ = true;
  most_ = 0;
  for (Timer* timer : {&timeout_timer_, &shift_timer_, &empty_timer_, &incoming_timer_})
    timer->cancel();
  set_modem_lines();
  modem_status_ &= kLines;
  update_irq();
}

void Serial16550::reset_exit(ResetKind) { accept_input(); }

Result<> Serial16550::post_load(unsigned) {
  update_irq();
  transmit();
  return {};
}

bool Serial16550::fifos_on() const { return (fifo_control_ & kFifosOn) != 0; }
bool Serial16550::loopback() const { return (modem_control_ & kLoop) != 0; }
bool Serial16550::dlab() const { return (line_control_ & kDlab) != 0; }

unsigned Serial16550::trigger() const {
  constexpr std::array<u8, 4> levels = {1, 4, 8, 14};
  return fifos_on() ? levels[fifo_control_ >> 6] : 1;
}

i64 Serial16550::bits_ns(i64 bits) const {
  return bits * std::max<i64>(divisor_, 1) * kNsPerSecond / baud_base_;
}

// Start bit, data, parity, stop bits.
i64 Serial16550::character_ns() const {
  const i64 parity = (line_control_ & kParity) != 0 ? 1 : 0;
  return bits_ns(1 + 5 + (line_control_ & kWordLength) + parity + stop_bits());
}

// What the line carries of a character.
u8 Serial16550::word(u8 character) const {
  if (!format_set_) return character;
  return character & static_cast<u8>((0x20U << (line_control_ & kWordLength)) - 1);
}

u64 Serial16550::read(u64 offset, unsigned) {
  u8 value = 0;
  switch (offset) {
    case kData: value = dlab() ? static_cast<u8>(divisor_) : read_receiver(); break;
    case kInterruptEnable:
      value = dlab() ? static_cast<u8>(divisor_ >> 8) : interrupt_enable_;
      break;
    case kInterruptId: value = read_interrupt_id(); break;
    case kLineControl: value = line_control_; break;
    case kModemControl: value = modem_control_; break;
    case kLineStatus: value = read_line_status(); break;
    case kModemStatus:
      if (!loopback()) set_modem_lines();
      value = modem_status_;
      modem_status_ &= kLines;
      update_irq();
      break;
    default: value = scratch_; break;
  }
  serial_read(*this, offset, value);
  return value;
}

void Serial16550::write(u64 offset, u64 wide, unsigned) {
  const auto value = static_cast<u8>(wide);
  serial_write(*this, offset, value);
  switch (offset) {
    case kData:
      if (!dlab()) return write_transmitter(value);
      divisor_ = static_cast<u16>((divisor_ & 0xff00) | value);
      return divisor_changed();
    case kInterruptEnable:
      if (!dlab()) return write_interrupt_enable(value);
      divisor_ = static_cast<u16>((divisor_ & 0x00ff) | value << 8);
      return divisor_changed();
    case kFifoControl: return write_fifo_control(value);
    case kLineControl: return write_line_control(value);
    case kModemControl: return write_modem_control(value);
    case kScratch: scratch_ = value; return;
    default: log_guest("serial", "write of read-only register {}", offset);
  }
}

void Serial16550::divisor_changed() const {
  serial_set_rate(*this, divisor_, static_cast<u64>(character_ns()));
  tell_line();
}

void Serial16550::write_line_control(u8 value) {
  const u8 changed = value ^ line_control_;
  line_control_ = value;
  format_set_ = true;
  if ((changed & kSendBreak) != 0) chardev_->set_break((value & kSendBreak) != 0);
  if ((changed & ~(kDlab | kSendBreak)) != 0) tell_line();
}

// To a serial line of the host, if that is where this one leads.
void Serial16550::tell_line() const {
  if (divisor_ == 0) return;
  const bool even = (line_control_ & kEvenParity) != 0;
  chardev_->set_serial_line(
      {.rate = baud_base_ / divisor_,
       .data_bits = static_cast<u8>(5 + (line_control_ & kWordLength)),
       .parity = (line_control_ & kParity) == 0 ? 'N'
                 : even                         ? 'E'
                                                : 'O',
       .stop_bits = static_cast<u8>((line_control_ & kTwoStopBits) != 0 ? 2 : 1)});
}

void Serial16550::moved() {
  if (format_set_) tell_line();
  chardev_->set_modem_control((modem_control_ & kDtr) != 0, (modem_control_ & kRts) != 0);
  transmit();
}

// ---- Line status

u8 Serial16550::line_status() const {
  u8 status = errors_;
  if (!receiver_.empty()) status |= kDataReady;
  status |= transmitter_status();
  if (fifos_on() && (receiver_.has_errors() || (errors_ & ~kOverrun) != 0)) status |= kErrorInFifo;
  return status;
}

u8 Serial16550::read_line_status() {
  const u8 status = line_status();
  errors_ = 0;
  update_irq();
  return status;
}

// ---- Control

void Serial16550::write_interrupt_enable(u8 value) {
  const bool newly = (value & ~interrupt_enable_ & kTransmitEnable) != 0;
  interrupt_enable_ = value & 0x0f;
  if (newly && (transmitter_status() & kHoldingEmpty) != 0) transmitter_interrupt_ = true;
  update_irq();
}

void Serial16550::write_fifo_control(u8 value) {
  const bool switched = ((value ^ fifo_control_) & kFifosOn) != 0;
  fifo_control_ = (value & kFifosOn) != 0 ? value & kFifoControlKept : 0;
  if (switched || (value & kClearReceiver) != 0) {
    receiver_.clear();
    timeout_ = false;
    restart_timeout();
  }
  if (switched || (value & kClearTransmitter) != 0) clear_transmitter();
  update_irq();
  accept_input();
}

void Serial16550::write_modem_control(u8 value) {
  const u8 changed = value ^ modem_control_;
  modem_control_ = value & (kDtr | kRts | kOut1 | kOut2 | kLoop);
  if ((changed & (kDtr | kRts)) != 0)
    chardev_->set_modem_control((value & kDtr) != 0, (value & kRts) != 0);
  set_modem_lines();
  // What waits for the other side has another way out, or the other way round.
  if ((changed & kLoop) != 0) transmit();
  update_irq();
  accept_input();
}

// The modem's lines, or in loopback the port's own, and what changed.
void Serial16550::set_modem_lines() {
  const auto host = chardev_->modem_lines();
  u8 lines = kCts | kDsr | kDcd;
  if (host)
    lines = static_cast<u8>((host->cts ? kCts : 0) | (host->dsr ? kDsr : 0) | (host->ri ? kRi : 0) |
                            (host->dcd ? kDcd : 0));
  if (loopback()) {
    lines = 0;
    if ((modem_control_ & kRts) != 0) lines |= kCts;
    if ((modem_control_ & kDtr) != 0) lines |= kDsr;
    if ((modem_control_ & kOut1) != 0) lines |= kRi;
    if ((modem_control_ & kOut2) != 0) lines |= kDcd;
  }
  auto changed = static_cast<u8>((lines ^ modem_status_) & kLines);
  // The ring indicator counts only when it ends.
  if ((lines & kRi) != 0) changed &= static_cast<u8>(~kRi);
  modem_status_ = static_cast<u8>(lines | (modem_status_ & kChanges) | changed >> 4);
}

u8 Serial16550::read_interrupt_id() {
  const u8 id = interrupt_id();
  if (id == kTransmitInterrupt) {
    transmitter_interrupt_ = false;
    update_irq();
  }
  return fifos_on() ? id | kIdFifos : id;
}

u8 Serial16550::interrupt_id() const {
  if ((interrupt_enable_ & kErrorEnable) != 0 && errors_ != 0) return kErrorInterrupt;
  if ((interrupt_enable_ & kReceiveEnable) != 0) {
    if (receiver_.count() >= trigger()) return kReceiveInterrupt;
    if (timeout_) return kTimeoutInterrupt;
  }
  if ((interrupt_enable_ & kTransmitEnable) != 0 && transmitter_interrupt_)
    return kTransmitInterrupt;
  if ((interrupt_enable_ & kModemEnable) != 0 && (modem_status_ & kChanges) != 0)
    return kModemInterrupt;
  return kNoInterrupt;
}

void Serial16550::update_irq() { irq_.set(interrupt_id() != kNoInterrupt); }

namespace {
const RegisterType<Serial16550> registration;
}  // namespace

}  // namespace rhea::hw
