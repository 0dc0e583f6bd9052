// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's keyboard controller.
#include "hw/input/ps2_device.h"
#include "hw/input/scan_codes.h"
#include "hw/input/trace_events.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/a20.h"
#include "rhea/util/log.h"

#include <array>

namespace rhea {
namespace hw {
namespace {
enum class ByteSource : u8 { Keyboard, Aux };
}  // namespace
}  // namespace hw

template <>
struct EnumTraits<hw::ByteSource> {
  static constexpr std::string_view kType = "ByteSource";
  static constexpr std::array<std::string_view, 2> kNames = {"keyboard", "aux"};
};

namespace hw {
namespace {

enum Command : u8 {
  kReadMemory = 0x20,   // to 0x3f; byte 0 is the command byte
  kWriteMemory = 0x60,  // to 0x7f
  kTestPassword = 0xa4,
  kLoadPassword = 0xa5,
  kDisableAux = 0xa7,
  kEnableAux = 0xa8,
  kTestAux = 0xa9,
  kSelfTest = 0xaa,
  kTestKeyboard = 0xab,
  kDisableKeyboard = 0xad,
  kEnableKeyboard = 0xae,
  kReadInputPort = 0xc0,
  kReadOutputPort = 0xd0,
  kWriteOutputPort = 0xd1,
  kWriteKeyboardBuffer = 0xd2,
  kWriteAuxBuffer = 0xd3,
  kWriteAux = 0xd4,
  kCloseA20 = 0xdd,
  kOpenA20 = 0xdf,
  kReadTestInputs = 0xe0,
  kPulseOutputPort = 0xf0,  // to 0xff: a clear bit 0 to 3 goes low for a moment
};

// The command byte.
constexpr u8 kKeyboardInterrupt = 0x01;
constexpr u8 kAuxInterrupt = 0x02;
constexpr u8 kSystemFlag = 0x04;
constexpr u8 kKeyboardOff = 0x10;
constexpr u8 kAuxOff = 0x20;
constexpr u8 kTranslate = 0x40;

// The status register.
constexpr u8 kOutputFull = 0x01;
constexpr u8 kLastWasCommand = 0x08;
constexpr u8 kUnlocked = 0x10;
constexpr u8 kFromAux = 0x20;

// The output port.
constexpr u8 kNoReset = 0x01;
constexpr u8 kA20 = 0x02;
constexpr u8 kKeyboardFull = 0x10;
constexpr u8 kAuxFull = 0x20;

constexpr i64 kThrottleNs = 1'000'000;
constexpr u8 kBreakPrefix = 0xf0;

/// 8042 keyboard controller with auxiliary port (IBM PS/2 hardware interface technical reference)
/// at 0x60 and 0x64, a keyboard and a mouse: IRQ 1 and 12, and the gate of A20.
/// State: complete.
/// Missing: passwords (accepted, never asked for), time-outs and parity errors.
class I8042 final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "i8042";
  static void describe(Schema<I8042>& s);
  I8042();
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  using Source = ByteSource;
  static constexpr u8 kResetOutputPort = 0xcf;

  u64 read_data(u64 offset, unsigned size);
  void write_data(u64 offset, u64 value, unsigned size);
  u64 read_status(u64 offset, unsigned size);
  void write_command(u64 offset, u64 value, unsigned size);
  void command(u8 byte);
  void command_port(u8 byte);
  void command_data(u8 command, u8 byte);
  void device_ready(unsigned pin, bool level);
  void fill();
  bool fill_from_keyboard();
  void put(u8 byte, Source source, bool from_keyboard = false);
  void answer(u8 byte, Source source = Source::Keyboard);
  void set_mode(u8 set, u8 clear);
  void set_output_port(u8 value);
  void update_irqs();
  u8 output_port() const;
  u8& mode() { return memory_[0]; }
  u8 mode() const { return memory_[0]; }

  u8 keyboard_irq_number_{};
  u8 aux_irq_number_{};
  bool throttle_{};

  std::array<u8, 32> memory_{};  ///< the controller's RAM; the first byte is the command byte
  u8 command_{0};                ///< waits for its data, or 0
  bool last_was_command_{true};
  u8 output_port_{kResetOutputPort};
  u8 data_{0};  ///< the output buffer
  bool full_{false};
  Source source_{Source::Keyboard};
  bool from_keyboard_{false};  ///< the keyboard itself sent it, not the controller
  u8 answer_{0};               ///< the controller's own byte, waiting for the output buffer
  bool answer_waits_{false};
  Source answer_source_{Source::Keyboard};
  bool break_next_{false};  ///< translation has seen the break prefix
  Timer throttle_timer_;

  Ps2Device* keyboard_{};
  Ps2Device* aux_{};
  IrqOutput keyboard_irq_;
  IrqOutput aux_irq_;
  Region data_region_;
  Region command_region_;
};

void I8042::describe(Schema<I8042>& s) {
  s.help("keyboard controller with PS/2 keyboard and mouse");
  s.board_only();
  s.property("kbd-irq", &I8042::keyboard_irq_number_, u8{1}).range(0, 15);
  s.property("mouse-irq", &I8042::aux_irq_number_, u8{12}).range(0, 15);
  s.property("kbd-throttle", &I8042::throttle_, false)
      .help("a byte of the keyboard can be read again for a millisecond before the next comes");
  s.state("memory", &I8042::memory_);
  s.state("command", &I8042::command_);
  s.state("last-was-command", &I8042::last_was_command_);
  s.state("output-port", &I8042::output_port_);
  s.state("data", &I8042::data_);
  s.state("full", &I8042::full_);
  s.state("source", &I8042::source_);
  s.state("from-keyboard", &I8042::from_keyboard_);
  s.state("answer", &I8042::answer_);
  s.state("answer-waits", &I8042::answer_waits_);
  s.state("answer-source", &I8042::answer_source_);
  s.state("break-next", &I8042::break_next_);
  s.state("throttle-timer", &I8042::throttle_timer_);
}

I8042::I8042() {
  const auto add = [this](std::string name, std::string_view type) {
    auto device = create_object(type);
    RHEA_ASSERT(device.has_value());
    return static_cast<Ps2Device*>(&add_child(std::move(name), std::move(*device)));
  };
  keyboard_ = add("ps2kbd", "ps2-kbd");
  aux_ = add("ps2mouse", "ps2-mouse");
  init_gpio_in<&I8042::device_ready>(*this, "ready", 2);
  keyboard_->connect_gpio_out("", 0, gpio_in("ready", 0));
  aux_->connect_gpio_out("", 0, gpio_in("ready", 1));
  init_gpio_out("", keyboard_irq_);
  init_gpio_out("", aux_irq_);
}

Result<> I8042::realize() {
  TRY(connect_isa_irq(keyboard_irq_, keyboard_irq_number_));
  TRY(connect_isa_irq(aux_irq_, aux_irq_number_));
  TRY(keyboard_->set_realized(true));
  TRY(aux_->set_realized(true));
  throttle_timer_.init(machine().virtual_clock(), [this] { fill(); });
  data_region_.init_io(*this, "i8042-data", 1,
                       io<&I8042::read_data, &I8042::write_data>({.min = 1, .max = 1}));
  command_region_.init_io(*this, "i8042-cmd", 1,
                          io<&I8042::read_status, &I8042::write_command>({.min = 1, .max = 1}));
  add_port(0x60, data_region_);
  add_port(0x64, command_region_);
  return {};
}

void I8042::reset(ResetKind) {
  memory_ = {};
  mode() = kKeyboardInterrupt | kAuxInterrupt;
  command_ = 0;
  last_was_command_ = true;
  data_ = 0;
  full_ = false;
  source_ = Source::Keyboard;
  from_keyboard_ = {};
  answer_ = 0;
  answer_source_ = Source::Keyboard;
  answer_waits_ = false;
  break_next_ = false;
  throttle_timer_.cancel();
  update_irqs();
  set_output_port(kResetOutputPort);
}

Result<> I8042::post_load(unsigned) {
  update_irqs();
  return {};
}

u64 I8042::read_status(u64, unsigned) {
  u8 status = kUnlocked | (mode() & kSystemFlag);
  if (full_) status |= kOutputFull;
  if (full_ && source_ == Source::Aux) status |= kFromAux;
  if (last_was_command_) status |= kLastWasCommand;
  return status;
}

u64 I8042::read_data(u64, unsigned) {
  const u8 value = data_;
  i8042_read_data(*this, value);
  if (!full_) return value;
  full_ = false;
  update_irqs();
  if (throttle_ && from_keyboard_)
    throttle_timer_.arm_in(kThrottleNs);
  else
    fill();
  return value;
}

void I8042::write_command(u64, u64 value, unsigned) {
  const auto byte = static_cast<u8>(value);
  i8042_command(*this, byte);
  last_was_command_ = true;
  command_ = 0;
  command(byte);
}

void I8042::command(u8 byte) {
  switch (byte) {
    case kTestPassword: return answer(0xf1);  // none is there
    case kDisableAux: return set_mode(kAuxOff, 0);
    case kEnableAux: return set_mode(0, kAuxOff);
    case kTestAux: return answer(0x00);
    case kSelfTest: mode() |= kSystemFlag; return answer(0x55);
    case kTestKeyboard: return answer(0x00);
    case kDisableKeyboard: return set_mode(kKeyboardOff, 0);
    case kEnableKeyboard: return set_mode(0, kKeyboardOff);
    case kLoadPassword:
    case kWriteOutputPort:
    case kWriteKeyboardBuffer:
    case kWriteAuxBuffer:
    case kWriteAux: command_ = byte; return;
    default: break;
  }
  if ((byte & 0xe0) == kReadMemory)
    answer(memory_[byte & 0x1f]);
  else if ((byte & 0xe0) == kWriteMemory)
    command_ = byte;
  else
    command_port(byte);
}

void I8042::command_port(u8 byte) {
  switch (byte) {
    case kReadInputPort: return answer(0x80);  // the keyboard is not locked
    case kReadOutputPort: return answer(output_port());
    case kCloseA20: return set_output_port(static_cast<u8>(output_port_ & ~kA20));
    case kOpenA20: return set_output_port(output_port_ | kA20);
    case kReadTestInputs: return answer(0x00);
    default: break;
  }
  if (byte < kPulseOutputPort)
    log_guest("i8042", "unknown command {:#x}", byte);
  else if ((byte & kNoReset) == 0)
    machine().request_reset(ShutdownCause::GuestReset);
}

void I8042::write_data(u64, u64 value, unsigned) {
  const auto byte = static_cast<u8>(value);
  i8042_write_data(*this, byte);
  last_was_command_ = false;
  const u8 waiting = command_;
  command_ = 0;
  command_data(waiting, byte);
}

void I8042::command_data(u8 waiting, u8 byte) {
  switch (waiting) {
    case 0:
      // Talking to a device turns its interface on.
      mode() &= static_cast<u8>(~kKeyboardOff);
      keyboard_->receive(byte);
      break;
    case kLoadPassword:
      if (byte != 0) command_ = waiting;  // until the terminating 0
      return;
    case kWriteOutputPort: return set_output_port(byte);
    case kWriteKeyboardBuffer: return answer(byte, Source::Keyboard);
    case kWriteAuxBuffer: return answer(byte, Source::Aux);
    case kWriteAux:
      mode() &= static_cast<u8>(~kAuxOff);
      aux_->receive(byte);
      break;
    default:
      memory_[waiting & 0x1f] = byte;
      update_irqs();
      break;
  }
  fill();
}

void I8042::set_mode(u8 set, u8 clear) {
  mode() = static_cast<u8>((mode() | set) & ~clear);
  fill();
}

void I8042::device_ready(unsigned, bool level) {
  if (level && is_realized()) fill();
}

// Moves the next byte into the output buffer when that is free.
void I8042::fill() {
  if (full_ || throttle_timer_.armed()) return;
  if (answer_waits_) {
    answer_waits_ = false;
    return put(answer_, answer_source_);
  }
  if ((mode() & kKeyboardOff) == 0 && fill_from_keyboard()) return;
  if ((mode() & kAuxOff) == 0 && aux_->has_data()) put(aux_->take(), Source::Aux);
}

bool I8042::fill_from_keyboard() {
  while (keyboard_->has_data()) {
    const u8 byte = keyboard_->take();
    if ((mode() & kTranslate) == 0) {
      put(byte, Source::Keyboard, true);
      return true;
    }
    if (byte == kBreakPrefix) {
      break_next_ = true;
      continue;
    }
    put(static_cast<u8>(set1_from_set2(byte) | (break_next_ ? 0x80 : 0)), Source::Keyboard, true);
    break_next_ = false;
    return true;
  }
  return false;
}

void I8042::put(u8 byte, Source source, bool from_keyboard) {
  data_ = byte;
  source_ = source;
  from_keyboard_ = from_keyboard;
  full_ = true;
  update_irqs();
}

// The controller's own bytes go first; a second one replaces one that still waits.
void I8042::answer(u8 byte, Source source) {
  answer_ = byte;
  answer_source_ = source;
  answer_waits_ = true;
  fill();
}

void I8042::set_output_port(u8 value) {
  output_port_ = value;
  machine().service<A20Gate>().set((value & kA20) != 0);
  if ((value & kNoReset) == 0) machine().request_reset(ShutdownCause::GuestReset);
}

u8 I8042::output_port() const {
  u8 value = output_port_ & static_cast<u8>(~(kKeyboardFull | kAuxFull));
  if (full_) value |= source_ == Source::Aux ? kAuxFull : kKeyboardFull;
  return value;
}

void I8042::update_irqs() {
  const bool aux = source_ == Source::Aux;
  keyboard_irq_.set(full_ && !aux && (mode() & kKeyboardInterrupt) != 0);
  aux_irq_.set(full_ && aux && (mode() & kAuxInterrupt) != 0);
}

const RegisterType<I8042> registration;

}  // namespace
}  // namespace hw
}  // namespace rhea
