// SPDX-License-Identifier: GPL-2.0-or-later
// What sits at the other end of a PS/2 cable.
#include "hw/input/ps2_device.h"

namespace rhea::hw {

void Ps2Device::describe(Schema<Ps2Device>& s) {
  s.state("answers", &Ps2Device::answers_);
  s.state("events", &Ps2Device::events_);
  s.state("last", &Ps2Device::last_);
}

u8 Ps2Device::take() {
  if (!answers_.empty()) {
    last_ = answers_.pop();
  } else if (!events_.empty()) {
    last_ = events_.pop();
    refill();
  } else {
    return 0;
  }
  update();
  return last_;
}

Result<> Ps2Device::post_load(unsigned) {
  update();
  return {};
}

// A host that never reads loses the newest answers.
void Ps2Device::answer(std::initializer_list<u8> bytes) {
  answers_.push(std::span(bytes.begin(), bytes.size()));
  update();
}

bool Ps2Device::tell(std::span<const u8> bytes) {
  const bool fits = events_.push(bytes);
  update();
  return fits;
}

void Ps2Device::drop_events() {
  events_.clear();
  update();
}

void Ps2Device::drop_everything() {
  answers_.clear();
  last_ = 0;
  drop_events();
}

namespace {
const RegisterAbstractType<Ps2Device, Device> registration;
}  // namespace

}  // namespace rhea::hw
