// SPDX-License-Identifier: GPL-2.0-or-later
// A mouse at the end of a serial line: -chardev msmouse, -serial msmouse.
#include "chardev/backend.h"
#include "rhea/ui/input.h"

#include <algorithm>
#include <deque>

namespace rhea::hw {
namespace {

constexpr u8 kLeft = 1, kRight = 2, kMiddle = 4;

/// Microsoft's serial mouse with a third button as Logitech sends it. It lives on the line's DTR
/// and RTS: when both rise it says what it is ("M3"), without them it is dead. While it lives it
/// takes the pointer's events from the PS/2 mouse. Missing: the Plug and Play identification.
class SerialMouse final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-msmouse";

  static Result<std::unique_ptr<Chardev>> make(Machine& machine, KeyValues&, chardev::Opening) {
    auto mouse = create<SerialMouse>();
    mouse->machine_ = &machine;
    return mouse;
  }

  Result<> attach(FrontEnd front_end) override {
    TRY(Chardev::attach(std::move(front_end)));
    deliver(ChardevEvent::Opened);
    return {};
  }
  void accept_input() override { send(); }
  std::size_t write(std::span<const u8> data) override { return logged(data); }
  std::string filename() const override { return "msmouse"; }

  void set_modem_control(bool dtr, bool rts) override {
    const bool powered = dtr && rts;
    if (powered == std::exchange(powered_, powered)) return;
    dx_ = dy_ = 0;
    told_buttons_ = buttons_;
    out_.clear();
    if (!powered) return input_.close();
    input_.open(*machine_, {.name = "QEMU Microsoft Mouse",
                            .move = [this](const PointerEvent& event) { move(event); }});
    for (const char c : std::string_view("M3")) out_.push_back(static_cast<u8>(c));
    send();
  }

 private:
  void move(const PointerEvent& event) {
    constexpr int kFarthest = 1 << 16;  // what waits for a guest that does not read
    dx_ = std::clamp(dx_ + event.dx, -kFarthest, kFarthest);
    dy_ = std::clamp(dy_ + event.dy, -kFarthest, kFarthest);
    buttons_ = event.buttons & (kLeft | kRight | kMiddle);
    send();
  }

  void send() {
    for (;;) {
      if (out_.empty()) report();
      if (out_.empty() || !front_end().can_receive || front_end().can_receive() == 0) return;
      const u8 byte = out_.front();
      out_.pop_front();
      front_end().receive(std::span(&byte, 1));
    }
  }

  // One packet of what has happened since the last one.
  void report() {
    if (!powered_ || (dx_ == 0 && dy_ == 0 && buttons_ == told_buttons_)) return;
    const int dx = std::clamp(dx_, -128, 127);
    const int dy = std::clamp(dy_, -128, 127);
    dx_ -= dx;
    dy_ -= dy;
    out_.push_back(static_cast<u8>(0x40 | ((buttons_ & kLeft) != 0 ? 0x20 : 0) |
                                   ((buttons_ & kRight) != 0 ? 0x10 : 0) | (dy >> 4 & 0x0c) |
                                   (dx >> 6 & 0x03)));
    out_.push_back(static_cast<u8>(dx & 0x3f));
    out_.push_back(static_cast<u8>(dy & 0x3f));
    if (((buttons_ | told_buttons_) & kMiddle) != 0)
      out_.push_back((buttons_ & kMiddle) != 0 ? 0x20 : 0x00);
    told_buttons_ = buttons_;
  }

  Machine* machine_{};
  bool powered_{false};
  int dx_{0}, dy_{0};
  u8 buttons_{0}, told_buttons_{0};
  std::deque<u8> out_;
  InputPort input_;
};

const RegisterType<SerialMouse> registration;
const chardev::RegisterBackend backend{
    {.name = "msmouse", .alias = "", .create = &SerialMouse::make}};

}  // namespace
}  // namespace rhea::hw
