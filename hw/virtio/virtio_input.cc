// SPDX-License-Identifier: GPL-2.0-or-later
// What all input devices are: a configuration to look things up in, events out, lamps in.
#include "hw/virtio/virtio_input.h"

#include "rhea/softmmu/machine.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace virtio_input;

namespace {

constexpr u16 kEvents = 0, kStatus = 1;
constexpr u16 kEntries = 64;
constexpr u16 kVirtualBus = 6, kVendor = 0x0627, kVersion = 1;
constexpr unsigned kBuffersAtOnce = 64;

void append_le(std::vector<u8>& bytes, u64 value, unsigned size) {
  for (unsigned n = 0; n < size; ++n) bytes.push_back(static_cast<u8>(value >> (8 * n)));
}

}  // namespace

void VirtioInputEvent::describe(StateFields<VirtioInputEvent>& s) {
  s.state("type", &VirtioInputEvent::type);
  s.state("code", &VirtioInputEvent::code);
  s.state("value", &VirtioInputEvent::value);
}

Result<> VirtioInput::start(Device& owner, VirtioCore& core) {
  owner_ = &owner;
  core_ = &core;
  if (serial_.size() > kDataBytes)
    return fail("Property 'serial': '{}' is longer than {} characters", serial_, kDataBytes);
  core.add_queue(kEntries);
  core.add_queue(kEntries);
  InputPort::Taker taker = this->taker();
  taker.name = name_;
  taker.wants = [this] { return wants(); };
  input_.open(owner.machine(), std::move(taker));
  fill_config();
  return {};
}

// ---- What it is

void VirtioInput::config_written(u64, unsigned) {
  select_ = config_[kSelectAt];
  subselect_ = config_[kSubselectAt];
  fill_config();
}

void VirtioInput::fill_config() {
  const std::vector<u8> data = selected();
  config_ = {};
  config_[kSelectAt] = select_;
  config_[kSubselectAt] = subselect_;
  config_[kSizeAt] = static_cast<u8>(data.size());
  std::ranges::copy(data, config_.begin() + kDataAt);
}

std::vector<u8> VirtioInput::selected() const {
  std::vector<u8> data;
  if (select_ == kEventBits) {
    for (const u16 code : codes(subselect_)) {
      if (data.size() <= code / 8U) data.resize(code / 8U + 1);
      data[code / 8U] = static_cast<u8>(data[code / 8U] | 1U << (code % 8U));
    }
    return data;
  }
  if (select_ == kAxisRange) {
    if (std::ranges::count(codes(kAbs), subselect_) != 0)
      for (const u64 number : {u64{0}, u64{PointerPlace::kFarthest}, u64{0}, u64{0}, u64{0}})
        append_le(data, number, 4);  // least, most, fuzz, flat, resolution
    return data;
  }
  if (subselect_ != 0) return data;
  switch (select_) {
    case kIdName: data.assign(name_.begin(), name_.end()); break;
    case kIdSerial: data.assign(serial_.begin(), serial_.end()); break;
    case kIdDevices:
      for (const u16 number : {kVirtualBus, kVendor, product_, kVersion})
        append_le(data, number, sizeof(number));
      break;
    default: break;
  }
  return data;
}

// ---- Whose the events are

void VirtioInput::reset() {
  select_ = subselect_ = 0;
  waiting_.clear();
  fill_config();
}

Result<> VirtioInput::loaded() {
  fill_config();
  return {};
}

// Keys may have been let go of while the machine stood.
void VirtioInput::resumed() {
  if (!waiting_.empty()) core_->serve_again(kEvents);
}

bool VirtioInput::wants() const {
  const DomainGuard guard(owner_->lock_domain());
  return (core_->status() & VirtioCore::kDriverOk) != 0 && core_->queue(kEvents).enabled();
}

// ---- Events

void VirtioInput::serve(u16 number) { number == kStatus ? read_status() : send_waiting(); }

void VirtioInput::tell(std::vector<VirtioInputEvent> events) {
  owner_->machine().service<Suspension>().wake(WakeSource::Other);
  if (events.empty()) return;
  events.push_back({.type = kSyn, .code = 0, .value = 0});
  const DomainGuard guard(owner_->lock_domain());
  if (waiting_.size() + events.size() > kMostWaiting)
    return log_guest("virtio-input", "the driver takes no events: some are lost");
  waiting_.insert(waiting_.end(), events.begin(), events.end());
  core_->begin_turn();
  send_waiting();
}

/// A buffer of the driver's takes one event.
void VirtioInput::send_waiting() {
  if (waiting_.empty() || !core_->live()) return;
  VirtQueue& queue = core_->queue(kEvents);
  std::size_t sent = 0;
  for (; sent < waiting_.size() && queue.enabled() && !core_->turn_is_over(); ++sent) {
    if (queue.pop(buffer_) != Popped::One) break;
    const VirtioInputEvent& event = waiting_[sent];
    std::vector<u8> bytes;
    append_le(bytes, event.type, 2);
    append_le(bytes, event.code, 2);
    append_le(bytes, event.value, 4);
    const u64 size = std::min<u64>(bytes.size(), buffer_.in_bytes);
    if (!queue.write(buffer_, 0, std::span(bytes).first(size))) break;
    queue.push(buffer_, static_cast<u32>(size));
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (sent != 0) core_->tell_driver(kEvents);
  if (!waiting_.empty() && core_->turn_is_over()) core_->serve_again(kEvents);
}

/// Of lamps: nobody looks at them here.
void VirtioInput::read_status() {
  VirtQueue& queue = core_->queue(kStatus);
  unsigned taken = 0;
  const auto goes_on = [&] { return taken < kBuffersAtOnce && !core_->turn_is_over(); };
  for (; goes_on() && queue.pop(buffer_) == Popped::One; ++taken) queue.push(buffer_, 0);
  if (taken != 0) core_->tell_driver(kStatus);
  if (!goes_on()) core_->serve_again(kStatus);
}

}  // namespace rhea::hw
