// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/device.h"

#include "qom/guarded.h"
#include "rhea/qom/registry.h"
#include "rhea/util/lock.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea {

template <class Call>
void Device::if_realized(Call call) {
  const DomainGuard domain_guard(lock_domain());
  if (realized_) call(*this);
}

Device::~Device() {
  if (bus_ != nullptr) bus_->detach(*this);
}

Result<> Device::set_realized(bool on) {
  if (on == realized_) return {};
  if (!on) {
    unrealize_below();
    realized_ = false;
    const auto ended = guarded_call([this] { unrealize(); });
    // It goes all the same.
    if (!ended) report_warning(fmt::format("{}: unrealize(): {}", path(), ended.error().message()));
    undo_realize();
    return {};
  }
  const std::string& needed = type().bus;
  if (!needed.empty() && bus_ == nullptr)
    return fail("Device '{}' needs a bus of kind {}", type().name, needed);
  former_children_.clear();
  own_children_ = children().size();
  auto result = guarded([this] { return realize(); });
  if (result) result = map_registers();
  realized_ = result.has_value();
  if (!realized_) {
    unrealize_below();
    undo_realize();
  }
  return result;
}

// The devices that it owns, and those on its buses.
void Device::unrealize_below() {
  const auto unrealized = [](Device& device) {
    // Only realizing fails.
    RHEA_ASSERT(device.set_realized(false).has_value());
  };
  for (const auto& c : children())
    if (auto* device = dynamic_cast<Device*>(c.get())) unrealized(*device);
  for (Bus* bus : buses())
    while (!bus->devices().empty()) {
      Device& last = *bus->devices().back();
      unrealized(last);
      bus->detach(last);
    }
}

void Device::undo_realize() {
  while (!undo_.empty()) {
    const auto undo = std::move(undo_.back());
    undo_.pop_back();
    undo();
  }
  release();
  end_members();
  while (children().size() > own_children_)
    former_children_.push_back(remove_child(*children().back()));
}

std::vector<Bus*> Device::buses() const {
  std::vector<Bus*> found;
  for (const auto& c : children())
    if (auto* bus = dynamic_cast<Bus*>(c.get())) found.push_back(bus);
  return found;
}

Irq Device::gpio_in(std::string_view group, unsigned index) const {
  const auto it = inputs_.find(group);
  if (it == inputs_.end() || index >= it->second.size()) return {};
  return Irq::to<&IrqTap::set>(*it->second[index], index);
}

std::vector<Irq> Device::gpio_inputs() const {
  std::vector<Irq> pins;
  for (const auto& [group, taps] : inputs_)
    for (unsigned index = 0; index < taps.size(); ++index) pins.push_back(gpio_in(group, index));
  return pins;
}

void Device::connect_gpio_out(std::string_view group, unsigned index, Irq target) {
  RHEA_ASSERT(has_gpio_out(group, index));
  outputs_.find(group)->second[index]->connect(target);
}

bool Device::has_gpio_out(std::string_view group, unsigned index) const {
  const auto it = outputs_.find(group);
  return it != outputs_.end() && index < it->second.size();
}

unsigned Device::intercept_inputs(const std::function<void(unsigned, bool)>& observer) {
  unsigned count = 0;
  for (auto& [group, pins] : inputs_)
    for (const auto& pin : pins)
      pin->observer = [observer, index = count++](unsigned, bool level) { observer(index, level); };
  return count;
}

unsigned Device::intercept_outputs(const std::function<void(unsigned, bool)>& observer) {
  unsigned count = 0;
  for (auto& [group, pins] : outputs_)
    for (IrqOutput* pin : pins) {
      taps_.push_back(
          std::make_unique<IrqTap>(IrqTap{.next = pin->target(), .observer = observer}));
      pin->connect(Irq::to<&IrqTap::set>(*taps_.back(), count++));
    }
  return count;
}

void Device::add_input(std::string_view group, Irq irq) {
  inputs_[std::string(group)].push_back(
      std::make_unique<IrqTap>(IrqTap{.next = irq, .observer = {}, .receiver = this}));
}

void IrqTap::set(unsigned pin, bool level) {
  if (observer) observer(pin, level);
  if (!forward) return;
  const DomainGuard domain_guard(receiver != nullptr ? receiver->lock_domain() : nullptr);
  next.set(level);
}

void Device::init_gpio_out(std::string_view group, IrqOutput& output) {
  outputs_[std::string(group)].push_back(&output);
}

// This device, the devices it owns, and the devices on its buses (owned elsewhere), each once.
void Device::each_below(const std::function<void(Device&)>& visitor) {
  visitor(*this);
  for (const auto& c : children())
    if (auto* device = dynamic_cast<Device*>(c.get()); device != nullptr && device->bus_ == nullptr)
      device->each_below(visitor);
  for (Bus* bus : buses())
    for (std::size_t i = 0; i < bus->devices().size(); ++i) bus->devices()[i]->each_below(visitor);
}

void Device::reset_tree(ResetKind kind) {
  const auto phase = [this](auto call) {
    each_below([&](Device& device) { device.if_realized(call); });
  };
  phase([kind](Device& d) {
    reset_registers(d);
    d.reset_enter(kind);
  });
  phase([kind](Device& d) { d.reset(kind); });
  phase([kind](Device& d) { d.reset_exit(kind); });
}

Bus::~Bus() {
  for (Device* device : devices_) device->bus_ = nullptr;
}

Result<> Bus::attach(Device& device) {
  RHEA_ASSERT(device.bus_ == nullptr);
  const std::string& needed = device.type().bus;
  if (needed != kind())
    return fail("Device '{}' cannot be plugged into bus '{}' of kind {}", device.type().name,
                name(), kind());
  if (is_full()) return fail("Bus '{}' is full", name());
  TRY(assign_slot(device));
  devices_.push_back(&device);
  device.bus_ = this;
  return {};
}

void Bus::detach(Device& device) {
  const auto it = std::ranges::find(devices_, &device);
  if (it == devices_.end()) return;
  devices_.erase(it);
  release_slot(device);
  device.bus_ = nullptr;
}

void Bus::reset(ResetKind kind) {
  // One phase over the whole bus before the next begins.
  const auto phase = [this](auto call) {
    for (std::size_t i = 0; i < devices_.size(); ++i)
      devices_[i]->each_below([&](Device& device) { device.if_realized(call); });
  };
  phase([kind](Device& d) {
    reset_registers(d);
    d.reset_enter(kind);
  });
  phase([kind](Device& d) { d.reset(kind); });
  phase([kind](Device& d) { d.reset_exit(kind); });
}

namespace {
const RegisterAbstractType<Device, Object> device_registration;
const RegisterAbstractType<Bus, Object> bus_registration;
}  // namespace

}  // namespace rhea
