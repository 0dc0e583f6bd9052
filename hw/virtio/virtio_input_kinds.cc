// SPDX-License-Identifier: GPL-2.0-or-later
// Which keys and axes there are, by Linux's numbers (input-event-codes.h).
#include "hw/virtio/virtio_input.h"

#include <utility>

namespace rhea::hw {

using namespace virtio_input;

namespace {

constexpr VirtioKind kKeyboardKind{.id = 18, .transitional_id = 0, .pci_class = 0x0900};
constexpr VirtioKind kMouseKind{.id = 18, .transitional_id = 0, .pci_class = 0x0902};
constexpr VirtioKind kTabletKind{.id = 18, .transitional_id = 0, .pci_class = 0x0980};
constexpr u16 kLamps = 3;  // number lock, capitals lock, scroll lock
constexpr u8 kButtons = 5;

/// Up to F12 the numbers are those of the scan codes.
constexpr KeyNumber kLastSame = 0x58;
struct OtherKey {
  KeyNumber key;
  u16 number;
};
constexpr std::array kOtherKeys{
    OtherKey{0x54, 99},  OtherKey{0x59, 117}, OtherKey{0x70, 93},  OtherKey{0x73, 89},
    OtherKey{0x79, 92},  OtherKey{0x7b, 94},  OtherKey{0x7d, 124}, OtherKey{0x7e, 121},
    OtherKey{0x90, 165}, OtherKey{0x99, 163}, OtherKey{0x9c, 96},  OtherKey{0x9d, 97},
    OtherKey{0xa0, 113}, OtherKey{0xa1, 140}, OtherKey{0xa2, 164}, OtherKey{0xa4, 166},
    OtherKey{0xae, 114}, OtherKey{0xb0, 115}, OtherKey{0xb2, 172}, OtherKey{0xb5, 98},
    OtherKey{0xb7, 99},  OtherKey{0xb8, 100}, OtherKey{0xc6, 119}, OtherKey{0xc7, 102},
    OtherKey{0xc8, 103}, OtherKey{0xc9, 104}, OtherKey{0xcb, 105}, OtherKey{0xcd, 106},
    OtherKey{0xcf, 107}, OtherKey{0xd0, 108}, OtherKey{0xd1, 109}, OtherKey{0xd2, 110},
    OtherKey{0xd3, 111}, OtherKey{0xdb, 125}, OtherKey{0xdc, 126}, OtherKey{0xdd, 127},
    OtherKey{0xde, 116}, OtherKey{0xdf, 142}, OtherKey{0xe3, 143}, OtherKey{0xe5, 217},
    OtherKey{0xe6, 156}, OtherKey{0xe7, 173}, OtherKey{0xe8, 128}, OtherKey{0xe9, 159},
    OtherKey{0xea, 158}, OtherKey{0xeb, 157}, OtherKey{0xec, 155}, OtherKey{0xed, 226}};

}  // namespace

u16 virtio_input::linux_key(KeyNumber key) {
  for (const OtherKey& other : kOtherKeys)
    if (other.key == key) return other.number;
  return key <= kLastSame ? key : u16{0};
}

// ---- Keyboard

VirtioKeyboard::VirtioKeyboard() : VirtioInput(kKeyboardKind, "QEMU Virtio Keyboard", 1) {}

VirtioInput::Bits VirtioKeyboard::codes(u16 type) const {
  Bits all;
  if (type == kRepeat) all.push_back(0);
  if (type == kLed)
    for (u16 lamp = 0; lamp < kLamps; ++lamp) all.push_back(lamp);
  if (type == kKey)
    for (unsigned key = 1; key <= 0xff; ++key)
      if (const u16 number = linux_key(static_cast<KeyNumber>(key)); number != 0)
        all.push_back(number);
  return all;
}

InputPort::Taker VirtioKeyboard::taker() {
  return {.key = [this](KeyNumber key, bool down) {
    const u16 number = linux_key(key);
    if (number != 0) tell({{.type = kKey, .code = number, .value = u32{down}}});
  }};
}

// ---- Pointers

VirtioMouse::VirtioMouse() : VirtioPointer(kMouseKind, "QEMU Virtio Mouse", 2, kRel) {}
VirtioTablet::VirtioTablet() : VirtioPointer(kTabletKind, "QEMU Virtio Tablet", 3, kAbs) {}

VirtioInput::Bits VirtioPointer::codes(u16 type) const {
  Bits all;
  if (type == movement_) all = {kAxisX, kAxisY};
  if (type == kRel && wheel_axis_) all.push_back(kRelWheel);
  if (type == kKey) {
    for (u16 button = 0; button < kButtons; ++button)
      all.push_back(static_cast<u16>(kLeftButton + button));
    if (!wheel_axis_) all.insert(all.end(), {kGearDown, kGearUp});
  }
  return all;
}

InputPort::Taker VirtioPointer::taker() {
  const auto take = [this](const PointerEvent& event) { this->take(event); };
  return movement_ == kRel ? InputPort::Taker{.move = take} : InputPort::Taker{.place = take};
}

/// The wheel's buttons are pressed and let go of, a notch each.
void VirtioPointer::take(const PointerEvent& event) {
  std::vector<VirtioInputEvent> events;
  const auto add = [&events](u16 type, u16 code, int value) {
    events.push_back({.type = type, .code = code, .value = static_cast<u32>(value)});
  };
  if (event.place) {
    add(kAbs, kAxisX, event.place->x);
    add(kAbs, kAxisY, event.place->y);
  }
  if (event.dx != 0) add(kRel, kAxisX, event.dx);
  if (event.dy != 0) add(kRel, kAxisY, event.dy);
  if (event.dz != 0 && wheel_axis_) add(kRel, kRelWheel, event.dz);
  const u8 now = event.buttons & 0x1f;
  const u8 changed = static_cast<u8>(std::exchange(buttons_, now) ^ now);
  for (u8 button = 0; button < kButtons; ++button)
    if ((changed >> button & 1) != 0)
      add(kKey, static_cast<u16>(kLeftButton + button), now >> button & 1);
  if (event.dz != 0 && !wheel_axis_) {
    const u16 gear = event.dz > 0 ? kGearUp : kGearDown;
    add(kKey, gear, 1);
    tell(std::exchange(events, {}));
    add(kKey, gear, 0);
  }
  tell(std::move(events));
}

}  // namespace rhea::hw
