// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/virtio_rng.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr i64 kNsPerMs = 1'000'000;
constexpr VirtioKind kEntropy{.id = 4, .transitional_id = 0x1005, .pci_class = 0x00ff};

}  // namespace

VirtioKind VirtioRng::kind() const { return kEntropy; }

Result<> VirtioRng::start(Device& owner, VirtioCore& core) {
  if (period_ms_ == 0) return fail("'period' parameter expects a positive integer");
  if (most_bytes_ > kNoLimit)
    return fail("'max-bytes' parameter must be non-negative, and less than 2^63");
  core_ = &core;
  TRY(find_source(owner));
  core.add_queue(kEntries);
  period_.init(owner.machine().virtual_clock(), [this] { begin_period(); });
  entry_.init(owner);
  const auto user = std::make_shared<RngBackend::User>(
      RngBackend::User{.gate = entry_.gate(), .more = [this] { core_->notify(0); }});
  source_->add_user(user);
  owner.on_unrealize([source = source_, user] { source->remove_user(user); });
  quota_ = most_bytes_;
  return {};
}

/// Without one it has one of its own, as QEMU's.
Result<> VirtioRng::find_source(Device& owner) {
  source_ = rng_;
  if (source_ != nullptr) return {};
  std::unique_ptr<Object> own = TRY(create_object("rng-builtin"));
  source_ = &static_cast<RngBackend&>(owner.add_child("default-backend", std::move(own)));
  return source_->finish();
}

void VirtioRng::reset() {
  period_.cancel();
  quota_ = most_bytes_;
}

void VirtioRng::begin_period() {
  quota_ = most_bytes_;
  core_->notify(0);
}

void VirtioRng::serve(u16) {
  const unsigned budget = core_->queue(0).entries();
  unsigned filled = 0;
  const auto goes_on = [&] { return filled < budget && !core_->turn_is_over(); };
  while (goes_on() && fill_one()) ++filled;
  if (filled != 0) core_->tell_driver(0);
  if (!goes_on()) core_->serve_again(0);
}

/// False when there is no buffer, nothing to fill it with, or no leave to do so yet.
bool VirtioRng::fill_one() {
  VirtQueue& queue = core_->queue(0);
  if (queue.pop(buffer_) != Popped::One) return false;
  const u64 wanted = std::min<u64>(buffer_.in_bytes, kMostAtOnce);
  const std::span<u8> bytes(bytes_.data(), std::min(wanted, quota_));
  const std::size_t got = bytes.empty() ? 0 : source_->take(bytes);
  if (got == 0 && wanted != 0) {
    queue.undo_pop(buffer_);
    return false;
  }
  if (!queue.write(buffer_, 0, bytes.first(got))) return false;
  quota_ -= got;
  if (!period_.armed()) period_.arm_in(i64{period_ms_} * kNsPerMs);
  queue.push(buffer_, static_cast<u32>(got));
  return true;
}

}  // namespace rhea::hw
