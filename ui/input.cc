// SPDX-License-Identifier: GPL-2.0-or-later
// The hub between what produces keys and pointer events and the devices that take them.
#include "rhea/ui/input.h"

#include <algorithm>
#include <deque>
#include <ranges>
#include <utility>

namespace rhea {
namespace {

constexpr std::size_t kMostWaitingKeys = 1024;
constexpr i64 kNsPerMs = 1'000'000;

struct Chord {
  std::vector<KeyNumber> keys;
  i64 hold_ns;
};

}  // namespace

struct InputHub::Impl {
  InputHub* hub;
  std::deque<Chord> chords;  // the first one is held down
  std::size_t waiting_keys{0};
  Timer timer;

  void press();
  void release();
};

void InputHub::Impl::press() {
  for (const KeyNumber key : chords.front().keys) hub->key(key, true);
  timer.arm_in(chords.front().hold_ns);
}

void InputHub::Impl::release() {
  for (const KeyNumber key : std::views::reverse(chords.front().keys)) hub->key(key, false);
  waiting_keys -= chords.front().keys.size();
  chords.pop_front();
  if (!chords.empty()) press();
}

InputHub::InputHub(Machine& machine) : impl_(std::make_unique<Impl>()) {
  impl_->hub = this;
  impl_->timer.init(machine.virtual_clock(), [this] { impl_->release(); });
}

InputHub::~InputHub() {
  for (InputPort* port : ports_) port->hub_ = nullptr;
}

void InputHub::shutdown() {
  impl_->timer.cancel();
  impl_->chords.clear();
}

// ---- Ports

void InputPort::open(Machine& machine, Taker taker) {
  close();
  hub_ = &machine.service<InputHub>();
  taker_ = std::move(taker);
  number_ = ++hub_->opened_;
  hub_->ports_.insert(hub_->ports_.begin(), this);
}

void InputPort::close() {
  if (hub_ != nullptr) std::erase(hub_->ports_, this);
  hub_ = nullptr;
}

bool InputPort::takes(unsigned kinds) const {
  return ((kinds & kKey) != 0 && taker_.key) || ((kinds & kMove) != 0 && taker_.move) ||
         ((kinds & kPlace) != 0 && taker_.place);
}

InputPort* InputHub::first(unsigned kinds) const {
  const auto found = std::ranges::find_if(ports_, [kinds](const InputPort* port) {
    return port->takes(kinds) && (!port->taker_.wants || port->taker_.wants());
  });
  return found == ports_.end() ? nullptr : *found;
}

std::vector<InputHub::Pointer> InputHub::pointers() const {
  const InputPort* current = first(InputPort::kPointer);
  std::vector<Pointer> all;
  for (const InputPort* port : ports_)
    if (port->takes(InputPort::kPointer))
      all.push_back({.name = port->taker_.name,
                     .number = port->number_,
                     .absolute = port->takes(InputPort::kPlace),
                     .current = port == current});
  std::ranges::sort(all, {}, &Pointer::number);
  return all;
}

Result<> InputHub::choose(u64 number) {
  const auto found = std::ranges::find(ports_, number, &InputPort::number_);
  if (found == ports_.end()) return fail("Mouse at index '{}' not found", number);
  if (!(*found)->takes(InputPort::kPointer))
    return fail("Input device '{}' is not a mouse", (*found)->taker_.name);
  std::rotate(ports_.begin(), found, found + 1);
  return {};
}

// ---- Events

void InputHub::key(KeyNumber key, bool down) {
  if (const InputPort* port = first(InputPort::kKey)) port->taker_.key(key, down);
}

void InputHub::pointer(const PointerEvent& event) {
  buttons_ = event.buttons;
  if (event.place) place_ = *event.place;
  const auto tell = [](InputPort& port, const PointerEvent& part) {
    port.buttons_ = part.buttons;
    (port.takes(InputPort::kPlace) ? port.taker_.place : port.taker_.move)(part);
  };
  InputPort* clicked = first(InputPort::kPointer);
  InputPort* moved = event.place                      ? first(InputPort::kPlace)
                     : event.dx != 0 || event.dy != 0 ? first(InputPort::kMove)
                                                      : nullptr;
  if (moved != nullptr && moved != clicked)
    tell(*moved,
         {.dx = event.dx, .dy = event.dy, .buttons = moved->buttons_, .place = event.place});
  if (clicked == nullptr) return;
  if (moved == clicked) return tell(*clicked, event);
  if (event.dz != 0 || event.buttons != clicked->buttons_)
    tell(*clicked, {.dz = event.dz, .buttons = event.buttons});
}

void InputHub::send_keys(std::vector<KeyNumber> keys, int hold_ms) {
  if (keys.empty() || impl_->waiting_keys + keys.size() > kMostWaitingKeys) return;
  impl_->waiting_keys += keys.size();
  const i64 hold_ns = std::max(hold_ms, 1) * kNsPerMs;
  impl_->chords.push_back({.keys = std::move(keys), .hold_ns = hold_ns});
  if (impl_->chords.size() == 1) impl_->press();
}

}  // namespace rhea
