// SPDX-License-Identifier: GPL-2.0-or-later
// The boot order: who is in it, and what firmware reads of it.
#include "rhea/hw/boot_order.h"

#include <algorithm>

namespace rhea {

std::string firmware_path(const Device& device) {
  std::string path;
  if (const Bus* bus = device.parent_bus())
    if (const auto* owner = dynamic_cast<const Device*>(bus->parent()))
      path = firmware_path(*owner);
  const auto* named = dynamic_cast<const FirmwareNamed*>(&device);
  return named == nullptr ? path : path + "/" + named->firmware_name();
}

Result<> BootOrder::join(const void* owner, i32 index, const Device* device, std::string suffix) {
  const auto place = std::ranges::lower_bound(entries_, index, {}, &Entry::index);
  if (place != entries_.end() && place->index == index)
    return fail("The bootindex {} has already been used", index);
  entries_.insert(place,
                  {.owner = owner, .index = index, .device = device, .suffix = std::move(suffix)});
  return {};
}

void BootOrder::leave(const void* owner) {
  std::erase_if(entries_, [owner](const Entry& entry) { return entry.owner == owner; });
}

std::vector<u8> BootOrder::file(bool strict) const {
  if (entries_.empty()) return {};
  std::string text;
  for (const Entry& entry : entries_) {
    if (!text.empty()) text += '\n';
    if (entry.device != nullptr) text += firmware_path(*entry.device);
    text += entry.suffix;
  }
  if (strict) text += "\nHALT";
  text += '\0';
  return {text.begin(), text.end()};
}

Result<> BootIndex::join(const Device& device, std::string suffix) {
  auto& order = device.machine().service<BootOrder>();
  if (index_ >= 0) TRY(order.join(this, index_, &device, suffix));
  order_ = &order;
  device_ = &device;
  suffix_ = std::move(suffix);
  return {};
}

void BootIndex::leave() {
  if (order_ != nullptr) order_->leave(this);
  order_ = nullptr;
}

Result<> BootIndex::set(const Value& value) {
  const auto index = static_cast<i32>(TRY(parse_signed(
      value, {.min = std::numeric_limits<i32>::min(), .max = std::numeric_limits<i32>::max()})));
  if (order_ != nullptr && index != index_) {
    order_->leave(this);
    auto joined = index < 0 ? Result<>() : order_->join(this, index, device_, suffix_);
    if (!joined) {
      if (index_ >= 0) RHEA_ASSERT(order_->join(this, index_, device_, suffix_));
      return joined;
    }
  }
  index_ = index;
  return {};
}

}  // namespace rhea
