// SPDX-License-Identifier: GPL-2.0-or-later
// The hub between what produces keys and pointer events and the devices that take them.
#include "rhea/ui/input.h"

#include <algorithm>
#include <deque>
#include <ranges>

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

InputHub::~InputHub() = default;

void InputHub::shutdown() {
  impl_->timer.cancel();
  impl_->chords.clear();
  key_handler_ = nullptr;
  pointer_handler_ = nullptr;
  key_takers_.clear();
  pointer_takers_.clear();
}

void InputHub::leave(const void* taker) {
  const auto is_its = [taker](const auto& entry) { return entry.first == taker; };
  std::erase_if(key_takers_, is_its);
  std::erase_if(pointer_takers_, is_its);
}

void InputHub::key(KeyNumber key, bool down) {
  const auto& handler = key_takers_.empty() ? key_handler_ : key_takers_.back().second;
  if (handler) handler(key, down);
}

void InputHub::pointer(const PointerEvent& event) {
  const auto& handler = pointer_takers_.empty() ? pointer_handler_ : pointer_takers_.back().second;
  if (handler) handler(event);
}

void InputHub::send_keys(std::vector<KeyNumber> keys, int hold_ms) {
  if (keys.empty() || impl_->waiting_keys + keys.size() > kMostWaitingKeys) return;
  impl_->waiting_keys += keys.size();
  const i64 hold_ns = std::max(hold_ms, 1) * kNsPerMs;
  impl_->chords.push_back({.keys = std::move(keys), .hold_ns = hold_ns});
  if (impl_->chords.size() == 1) impl_->press();
}

}  // namespace rhea
