// SPDX-License-Identifier: GPL-2.0-or-later
// A PS/2 keyboard.
#include "hw/input/ps2_device.h"
#include "hw/input/scan_codes.h"
#include "hw/input/trace_events.h"
#include "rhea/softmmu/suspension.h"

#include <algorithm>

namespace rhea::hw {
namespace {

enum Command : u8 {
  kSetLeds = 0xed,
  kEcho = 0xee,
  kScanCodeSet = 0xf0,
  kIdentify = 0xf2,
  kTypematic = 0xf3,
  kEnable = 0xf4,
  kDefaultDisable = 0xf5,
  kSetDefault = 0xf6,
  kAllRepeat = 0xf7,
  kAllMakeBreak = 0xf8,
  kAllMake = 0xf9,
  kAllRepeatMakeBreak = 0xfa,
  kKeyRepeat = 0xfb,
  kKeyMakeBreak = 0xfc,
  kKeyMake = 0xfd,
  kResendLast = 0xfe,
  kReset = 0xff,
};
constexpr u8 kFirstCommand = kSetLeds;

/// What keys tell in set 3 after a command that sets it.
u8 command_tells(u8 command) {
  switch (command) {
    case kAllRepeat:
    case kKeyRepeat: return kTellsRepeats;
    case kAllMakeBreak:
    case kKeyMakeBreak: return kTellsRelease;
    case kAllRepeatMakeBreak: return kTellsRepeats | kTellsRelease;
    default: return 0;
  }
}

/// The bytes of one event.
class Sequence {
 public:
  explicit Sequence(u8 set) : set_(set) {}
  void prefix(u8 byte) { bytes_[size_++] = byte; }
  /// `code` is of set 1.
  void key(u8 code, bool down) {
    if (set_ == 1) return prefix(static_cast<u8>(down ? code : code | 0x80));
    if (!down) prefix(0xf0);
    prefix(set2_from_set1(code));
  }
  void extended(u8 code, bool down) {
    prefix(0xe0);
    key(code, down);
  }
  std::span<const u8> bytes() const { return std::span(bytes_).first(size_); }

 private:
  u8 set_;
  std::array<u8, 12> bytes_{};
  std::size_t size_{0};
};

constexpr KeyNumber kLeftControl = 0x1d;
constexpr KeyNumber kRightControl = 0x9d;
constexpr KeyNumber kLeftShift = 0x2a;
constexpr KeyNumber kRightShift = 0x36;
constexpr KeyNumber kLeftAlt = 0x38;
constexpr KeyNumber kRightAlt = 0xb8;
constexpr KeyNumber kSysRq = 0x54;
constexpr KeyNumber kPrint = 0xb7;
constexpr KeyNumber kPause = 0xc6;
constexpr KeyNumber kKeypadDivide = 0xb5;

constexpr u8 kNumLockLed = 0x02;

/// Home, the cursor keys and their neighbours: those that a keypad of old has as well.
constexpr bool is_grey(KeyNumber number) {
  return (number >= 0xc7 && number <= 0xc9) || number == 0xcb || number == 0xcd ||
         (number >= 0xcf && number <= 0xd3);
}

/// Enhanced 101/102-key keyboard with PS/2 protocol (IBM PS/2 hardware interface technical
/// reference, keyboards): all commands, scan code sets 1 to 3, a buffer of 16 bytes with the
/// overrun code, the shift codes around the grey keys (Num Lock is what its light shows).
/// State: complete. Missing: typematic repeats of its own (the host repeats keys).
class Ps2Keyboard final : public Ps2Device {
 public:
  static constexpr std::string_view kName = "ps2-kbd";
  static void describe(Schema<Ps2Keyboard>& s) {
    s.help("PS/2 keyboard");
    s.board_only();
    s.state("set", &Ps2Keyboard::set_).range(1, 3);
    s.state("enabled", &Ps2Keyboard::enabled_);
    s.state("leds", &Ps2Keyboard::leds_).range(0, 7);
    s.state("typematic", &Ps2Keyboard::typematic_);
    s.state("command", &Ps2Keyboard::command_);
    s.state("overrun", &Ps2Keyboard::overrun_);
    s.state("down", &Ps2Keyboard::down_).survives_reset();
    s.state("pretends-shift", &Ps2Keyboard::pretends_shift_);
    s.state("tells", &Ps2Keyboard::tells_).range(0, 3);
  }

  void receive(u8 byte) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr u8 kBufferSize = 16;  // and one byte for the overrun code

  void key(KeyNumber number, bool down);
  Sequence encode(KeyNumber number, bool down, bool repeated);
  Sequence encode_grey(KeyNumber number, bool down);
  Sequence encode_print(bool down) const;
  Sequence encode_pause(bool down) const;
  void tell_set3(KeyNumber number, bool down, bool repeated);
  void tell_sequence(std::span<const u8> bytes);
  void command(u8 byte);
  void argument(u8 byte);
  void set_defaults();
  bool is_down(KeyNumber number) const { return (down_[number / 64] >> number % 64 & 1) != 0; }

  u8 set_{2};
  bool enabled_{true};
  u8 leds_{0};
  u8 typematic_{0};
  u8 command_{0};  ///< the one that waits for an argument
  bool overrun_{false};
  bool pretends_shift_{false};   ///< for a grey key under Num Lock
  std::array<u64, 4> down_{};    ///< by key number
  std::array<u8, 256> tells_{};  ///< set 3: by code
  InputPort input_;
};

Result<> Ps2Keyboard::realize() {
  input_.open(machine(), {.name = "QEMU PS/2 Keyboard",
                          .key = [this](KeyNumber number, bool down) { key(number, down); }});
  return {};
}

void Ps2Keyboard::reset(ResetKind) {
  set_defaults();
  enabled_ = true;
  leds_ = 0;
  command_ = 0;
  overrun_ = false;
  pretends_shift_ = false;
  drop_everything();
}

void Ps2Keyboard::set_defaults() {
  set_ = 2;
  typematic_ = 0x2b;  // 10.9 characters a second after 500 ms
  for (unsigned code = 0; code < tells_.size(); ++code)
    tells_[code] = set3_default_tells(static_cast<u8>(code));
}

void Ps2Keyboard::key(KeyNumber number, bool down) {
  ps2_key(*this, number, down);
  machine().service<Suspension>().wake(WakeSource::Other);
  const bool repeated = down && is_down(number);
  const u64 bit = u64{1} << number % 64;
  if (down)
    down_[number / 64] |= bit;
  else
    down_[number / 64] &= ~bit;
  if (!enabled_) return;
  if (set_ == 3)
    tell_set3(number, down, repeated);
  else
    tell_sequence(encode(number, down, repeated).bytes());
}

Sequence Ps2Keyboard::encode(KeyNumber number, bool down, bool repeated) {
  if (number == kPrint || number == kSysRq) return encode_print(down);
  if (number == kPause) return encode_pause(down);
  if ((is_grey(number) || number == kKeypadDivide) && !repeated) return encode_grey(number, down);
  Sequence sequence(set_);
  if (number >= 0x80)
    sequence.extended(number & 0x7f, down);
  else
    sequence.key(number, down);
  return sequence;
}

// For software that knows the 84-key keyboard alone, a grey key lifts the shifts that are held
// while it is down, so that it means itself; under Num Lock, where none is held, it pretends one.
// The divide key of the keypad knows the first half only.
Sequence Ps2Keyboard::encode_grey(KeyNumber number, bool down) {
  Sequence sequence(set_);
  const bool shifted = is_down(kLeftShift) || is_down(kRightShift);
  const bool num_lock = is_grey(number) && (leds_ & kNumLockLed) != 0;
  const auto surround = [&] {
    if (shifted && !num_lock)
      for (const KeyNumber shift : {kLeftShift, kRightShift})
        if (is_down(shift)) sequence.extended(shift, !down);
    if ((num_lock && !shifted) || (!down && pretends_shift_)) sequence.extended(kLeftShift, down);
  };
  if (down) surround();
  sequence.extended(number & 0x7f, down);
  if (!down) surround();
  pretends_shift_ = down && num_lock && !shifted;
  return sequence;
}

// Print Screen pretends a shift unless one is down, and with Alt it is the System Request key of
// old.
Sequence Ps2Keyboard::encode_print(bool down) const {
  Sequence sequence(set_);
  if (is_down(kLeftAlt) || is_down(kRightAlt)) {
    sequence.key(kSysRq, down);
    return sequence;
  }
  const bool plain = !is_down(kLeftShift) && !is_down(kRightShift) && !is_down(kLeftControl) &&
                     !is_down(kRightControl);
  if (plain && down) sequence.extended(kLeftShift, down);
  sequence.extended(kPrint & 0x7f, down);
  if (plain && !down) sequence.extended(kLeftShift, down);
  return sequence;
}

// Pause tells make and break at once, and nothing when it comes up; with Ctrl it is Break.
Sequence Ps2Keyboard::encode_pause(bool down) const {
  Sequence sequence(set_);
  if (!down) return sequence;
  if (is_down(kLeftControl) || is_down(kRightControl)) {
    sequence.extended(kPause & 0x7f, true);
    sequence.extended(kPause & 0x7f, false);
    return sequence;
  }
  for (const bool half : {true, false}) {
    sequence.prefix(0xe1);
    sequence.key(kLeftControl, half);
    sequence.key(0x45, half);
  }
  return sequence;
}

void Ps2Keyboard::tell_set3(KeyNumber number, bool down, bool repeated) {
  const u8 code = set3_key(number).code;
  if (code == 0) return;
  const u8 tells = tells_[code];
  if (repeated && (tells & kTellsRepeats) == 0) return;
  if (!down && (tells & kTellsRelease) == 0) return;
  if (down)
    tell_sequence(std::array{code});
  else
    tell_sequence(std::array{u8{0xf0}, code});
}

// Keys that find no room are lost, and one code says so.
void Ps2Keyboard::tell_sequence(std::span<const u8> bytes) {
  if (events_waiting() + bytes.size() <= kBufferSize) {
    tell(bytes);
    overrun_ = false;
  } else if (!overrun_) {
    overrun_ = tell(std::array{static_cast<u8>(set_ == 1 ? 0xff : 0x00)});
  }
}

void Ps2Keyboard::receive(u8 byte) {
  ps2_keyboard_command(*this, byte);
  // A command in place of an argument ends the waiting one.
  if (command_ != 0 && byte < kFirstCommand) return argument(byte);
  command_ = 0;
  command(byte);
}

void Ps2Keyboard::command(u8 byte) {
  switch (byte) {
    case kEcho: return answer({kEcho});
    case kResendLast: return answer_again();
    case kIdentify: return answer({kAck, 0xab, 0x83});
    case kSetLeds:
    case kScanCodeSet:
    case kTypematic:
    case kKeyRepeat:
    case kKeyMakeBreak:
    case kKeyMake: command_ = byte; return answer({kAck});
    case kEnable:
      drop_events();
      enabled_ = true;
      return answer({kAck});
    case kDefaultDisable:
    case kSetDefault:
      drop_events();
      set_defaults();
      if (byte == kDefaultDisable) enabled_ = false;
      return answer({kAck});
    case kAllRepeat:
    case kAllMakeBreak:
    case kAllMake:
    case kAllRepeatMakeBreak: tells_.fill(command_tells(byte)); return answer({kAck});
    case kReset: reset(ResetKind::Warm); return answer({kAck, kSelfTestPassed});
    default: return answer({kResend});
  }
}

void Ps2Keyboard::argument(u8 byte) {
  switch (command_) {
    case kSetLeds: leds_ = byte & 7; break;
    case kTypematic: typematic_ = byte & 0x7f; break;
    case kScanCodeSet:
      command_ = 0;
      if (byte == 0) return answer({kAck, set_});
      if (byte > 3) return answer({kResend});
      drop_events();
      set_ = byte;
      return answer({kAck});
    // These take codes until the next command.
    case kKeyRepeat:
    case kKeyMakeBreak:
    case kKeyMake: tells_[byte] = command_tells(command_); return answer({kAck});
    default: break;
  }
  command_ = 0;
  answer({kAck});
}

const RegisterType<Ps2Keyboard> registration;

}  // namespace
}  // namespace rhea::hw
