// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger's breakpoints as instructions in guest memory.
#include "accel/kvm/code_patches.h"

namespace rhea::kvm {
namespace {

constexpr u8 kInt3 = 0xcc;

}  // namespace

std::optional<u8> CodePatches::byte_at(u64 physical) const {
  u8 byte = 0;
  constexpr MemAttrs kDebug{.requester_id = 0, .secure = false, .debug = true, .user = false};
  if (memory_->read(physical, {&byte, 1}, kDebug) != MemResult::Ok) return std::nullopt;
  return byte;
}

bool CodePatches::add(unsigned user, u64 address, const Translate& translate) {
  const std::lock_guard lock(mutex_);
  if (const auto it = patches_.find(address); it != patches_.end()) {
    it->second.users.insert(user);
    return true;
  }
  const auto physical = translate(GuestVirt(address));
  if (!physical) return false;
  const auto original = byte_at(physical->value);
  if (!original || memory_->write_rom(physical->value, {&kInt3, 1}) != MemResult::Ok) return false;
  patches_[address] = {.physical = physical->value, .original = *original, .users = {user}};
  return true;
}

void CodePatches::remove(unsigned user, u64 address) {
  const std::lock_guard lock(mutex_);
  const auto it = patches_.find(address);
  if (it == patches_.end()) return;
  it->second.users.erase(user);
  if (!it->second.users.empty()) return;
  // The guest may have loaded other code there.
  if (byte_at(it->second.physical) == kInt3)
    static_cast<void>(memory_->write_rom(it->second.physical, {&it->second.original, 1}));
  patches_.erase(it);
}

bool CodePatches::has(u64 address) const {
  const std::lock_guard lock(mutex_);
  return patches_.contains(address);
}

bool CodePatches::was_removed(u64 address, const Translate& translate) const {
  const auto physical = translate(GuestVirt(address));
  return physical && byte_at(physical->value) != kInt3;
}

}  // namespace rhea::kvm
