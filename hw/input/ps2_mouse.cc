// SPDX-License-Identifier: GPL-2.0-or-later
// A PS/2 mouse with a wheel and five buttons.
#include "hw/input/ps2_device.h"
#include "hw/input/trace_events.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/ui/input.h"

#include <algorithm>

namespace rhea::hw {
namespace {

enum Command : u8 {
  kScaling1To1 = 0xe6,
  kScaling2To1 = 0xe7,
  kSetResolution = 0xe8,
  kGetStatus = 0xe9,
  kStreamMode = 0xea,
  kReadData = 0xeb,
  kResetWrap = 0xec,
  kWrapMode = 0xee,
  kRemoteMode = 0xf0,
  kGetId = 0xf2,
  kSetRate = 0xf3,
  kEnable = 0xf4,
  kDisable = 0xf5,
  kSetDefaults = 0xf6,
  kResendLast = 0xfe,
  kReset = 0xff,
};

/// What the mouse says it is; the others are unlocked by runs of sample rates.
enum Id : u8 { kStandard = 0, kWheel = 3, kFiveButtons = 4 };

/// PS/2 mouse (IBM PS/2 hardware interface technical reference, auxiliary devices) with Microsoft's
/// IntelliMouse and IntelliMouse Explorer extensions: stream, remote and wrap modes, scaling.
/// State: complete. Missing: the sample rate limits nothing (reports go out as events come), the
/// resolution scales nothing.
class Ps2Mouse final : public Ps2Device {
 public:
  static constexpr std::string_view kName = "ps2-mouse";
  static void describe(Schema<Ps2Mouse>& s) {
    s.help("PS/2 mouse");
    s.board_only();
    s.state("id", &Ps2Mouse::id_).range(0, kFiveButtons);
    s.state("enabled", &Ps2Mouse::enabled_);
    s.state("remote", &Ps2Mouse::remote_);
    s.state("wrap", &Ps2Mouse::wrap_);
    s.state("double-scale", &Ps2Mouse::double_scale_);
    s.state("resolution", &Ps2Mouse::resolution_).range(0, 3);
    s.state("rate", &Ps2Mouse::rate_);
    s.state("rates", &Ps2Mouse::rates_);
    s.state("command", &Ps2Mouse::command_);
    s.state("buttons", &Ps2Mouse::buttons_).range(0, 0x1f).survives_reset();
    s.state("told-buttons", &Ps2Mouse::told_buttons_).range(0, 0x1f).survives_reset();
    s.state("dx", &Ps2Mouse::dx_);
    s.state("dy", &Ps2Mouse::dy_);
    s.state("dz", &Ps2Mouse::dz_);
  }

  void receive(u8 byte) override;
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;
  void refill() override { report(); }

 private:
  static constexpr u8 kMostWaiting = 12;     ///< bytes that leave room for one more packet
  static constexpr int kFarthest = 1 << 16;  ///< counts that wait to be told, each way

  void move(const PointerEvent& event);
  bool unreported() const { return dx_ != 0 || dy_ != 0 || dz_ != 0 || buttons_ != told_buttons_; }
  void report();
  std::size_t make_packet(std::array<u8, 4>& packet);
  int take(int& counter, int most) const;
  void command(u8 byte);
  void command_mode(u8 byte);
  void argument(u8 byte);
  void set_rate(u8 rate);
  void set_defaults();
  void forget_movement();
  void answer_status();
  void answer_data();

  u8 id_{kStandard};
  bool enabled_{false};
  bool remote_{false};
  bool wrap_{false};
  bool double_scale_{false};
  u8 resolution_{2};
  u8 rate_{100};
  std::array<u8, 2> rates_{};  ///< the two rates set before the last
  u8 command_{0};              ///< the one that waits for an argument
  u8 buttons_{0};
  u8 told_buttons_{0};
  i32 dx_{0};
  i32 dy_{0};
  i32 dz_{0};
  InputPort input_;
};

Result<> Ps2Mouse::realize() {
  input_.open(machine(), {.name = "QEMU PS/2 Mouse",
                          .move = [this](const PointerEvent& event) { move(event); }});
  return {};
}

Result<> Ps2Mouse::post_load(unsigned version) {
  for (i32* counter : {&dx_, &dy_, &dz_}) *counter = std::clamp(*counter, -kFarthest, kFarthest);
  return Ps2Device::post_load(version);
}

void Ps2Mouse::reset(ResetKind) {
  set_defaults();
  id_ = kStandard;
  rates_ = {};
  wrap_ = false;
  command_ = 0;
  drop_everything();
}

void Ps2Mouse::set_defaults() {
  rate_ = 100;
  resolution_ = 2;
  double_scale_ = false;
  remote_ = false;
  enabled_ = false;
  forget_movement();
}

void Ps2Mouse::forget_movement() {
  dx_ = 0;
  dy_ = 0;
  dz_ = 0;
  told_buttons_ = buttons_;
}

void Ps2Mouse::move(const PointerEvent& event) {
  ps2_mouse_event(*this, event.dx, event.dy, event.dz, event.buttons);
  machine().service<Suspension>().wake(WakeSource::Other);
  buttons_ = event.buttons & 0x1f;
  const auto add = [](i32& counter, int amount) {
    counter =
        std::clamp(counter + std::clamp(amount, -kFarthest, kFarthest), -kFarthest, kFarthest);
  };
  add(dx_, event.dx);
  add(dy_, -event.dy);
  if (id_ != kStandard) add(dz_, -event.dz);
  report();
}

// Tells what happened in stream mode. Movement waits until the host has read the packet before; a
// click does not, or a quick one would never be seen.
void Ps2Mouse::report() {
  if (!enabled_ || remote_ || wrap_ || !unreported()) return;
  const bool click = buttons_ != told_buttons_;
  if (events_waiting() > (click ? kMostWaiting : 0)) return;
  std::array<u8, 4> packet{};
  const std::size_t size = make_packet(packet);
  tell(std::span(packet).first(size));
}

// Takes up to `most` counts, either way.
int Ps2Mouse::take(int& counter, int most) const {
  const int taken = std::clamp(counter, -most, most);
  counter -= taken;
  return taken;
}

// 2:1 scaling, which only stream mode has.
int scale(int counts) {
  constexpr std::array<int, 6> small = {0, 1, 1, 3, 6, 9};
  const int size = std::abs(counts);
  const int scaled = size < 6 ? small[static_cast<std::size_t>(size)] : 2 * size;
  return counts < 0 ? -scaled : scaled;
}

std::size_t Ps2Mouse::make_packet(std::array<u8, 4>& packet) {
  const bool scaled = double_scale_ && !remote_;
  const int most = scaled ? 127 : 255;
  int dx = take(dx_, most);
  int dy = take(dy_, most);
  if (scaled) {
    dx = scale(dx);
    dy = scale(dy);
  }
  told_buttons_ = buttons_;
  packet[0] = static_cast<u8>(0x08 | (buttons_ & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0));
  packet[1] = static_cast<u8>(dx);
  packet[2] = static_cast<u8>(dy);
  const int dz = take(dz_, id_ == kFiveButtons ? 7 : 127);
  if (id_ == kWheel) packet[3] = static_cast<u8>(dz);
  if (id_ == kFiveButtons) packet[3] = static_cast<u8>((dz & 0x0f) | (buttons_ & 0x18) << 1);
  return id_ == kStandard ? 3 : 4;
}

void Ps2Mouse::receive(u8 byte) {
  ps2_mouse_command(*this, byte);
  if (wrap_ && byte != kResetWrap && byte != kReset) return answer({byte});
  // Whatever was being reported is given up for the command.
  drop_events();
  if (command_ != 0 && byte < kScaling1To1) return argument(byte);
  command_ = 0;
  command(byte);
}

void Ps2Mouse::command(u8 byte) {
  switch (byte) {
    case kSetResolution:
    case kSetRate: command_ = byte; return answer({kAck});
    case kGetStatus: return answer_status();
    case kReadData: return answer_data();
    case kGetId: return answer({kAck, id_});
    case kSetDefaults: set_defaults(); return answer({kAck});
    case kResendLast: return answer_again();
    case kReset: reset(ResetKind::Warm); return answer({kAck, kSelfTestPassed, kStandard});
    default: return command_mode(byte);
  }
}

void Ps2Mouse::command_mode(u8 byte) {
  switch (byte) {
    case kScaling1To1: double_scale_ = false; break;
    case kScaling2To1: double_scale_ = true; break;
    case kStreamMode:
      remote_ = false;
      forget_movement();
      break;
    case kRemoteMode:
      remote_ = true;
      forget_movement();
      break;
    case kWrapMode: wrap_ = true; break;
    case kResetWrap: wrap_ = false; break;
    case kEnable:
      enabled_ = true;
      forget_movement();
      break;
    case kDisable: enabled_ = false; break;
    default: return answer({kResend});
  }
  answer({kAck});
}

void Ps2Mouse::argument(u8 byte) {
  const u8 command = command_;
  command_ = 0;
  if (command == kSetResolution && byte <= 3) {
    resolution_ = byte;
  } else if (command == kSetRate && byte != 0) {
    set_rate(byte);
  } else {
    return answer({kResend});
  }
  answer({kAck});
}

// Rates 200, 100, 80 in a row unlock the wheel; 200, 200, 80 then unlock the two more buttons.
void Ps2Mouse::set_rate(u8 rate) {
  if (rates_[0] == 200 && rates_[1] == 100 && rate == 80) id_ = kWheel;
  if (rates_[0] == 200 && rates_[1] == 200 && rate == 80 && id_ == kWheel) id_ = kFiveButtons;
  rates_ = {rates_[1], rate};
  rate_ = rate;
}

void Ps2Mouse::answer_status() {
  const auto swapped =
      static_cast<u8>((buttons_ & 1) << 2 | (buttons_ & 2) >> 1 | (buttons_ & 4) >> 1);
  const auto modes =
      static_cast<u8>((remote_ ? 0x40 : 0) | (enabled_ ? 0x20 : 0) | (double_scale_ ? 0x10 : 0));
  answer({kAck, static_cast<u8>(modes | swapped), resolution_, rate_});
}

void Ps2Mouse::answer_data() {
  std::array<u8, 4> packet{};
  if (make_packet(packet) == 3)
    answer({kAck, packet[0], packet[1], packet[2]});
  else
    answer({kAck, packet[0], packet[1], packet[2], packet[3]});
}

const RegisterType<Ps2Mouse> registration;

}  // namespace
}  // namespace rhea::hw
