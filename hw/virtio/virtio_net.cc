// SPDX-License-Identifier: GPL-2.0-or-later
// What a virtio network card is: properties, features, configuration, link.
#include "hw/virtio/virtio_net.h"

#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {

using namespace virtio_net;

namespace {

constexpr VirtioKind kNetwork{
    .id = 1, .transitional_id = 0x1000, .pci_class = 0x0200, .romfile = "efi-virtio.rom"};
constexpr u16 kFewestEntries = 256, kControlEntries = 64;
constexpr u16 kShortestMtu = 68;  // of IPv4

void put_le(std::span<u8> bytes, std::size_t at, u64 value, unsigned size) {
  for (unsigned n = 0; n < size; ++n) bytes[at + n] = static_cast<u8>(value >> (8 * n));
}

Result<> check_entries(std::string_view property, u16 entries, u16 fewest) {
  if (std::has_single_bit(entries) && entries >= fewest && entries <= VirtQueue::kMostEntries)
    return {};
  return fail("Invalid {} (= {}), must be a power of 2 between {} and {}.", property, entries,
              fewest, VirtQueue::kMostEntries);
}

}  // namespace

VirtioKind VirtioNet::kind() const { return kNetwork; }

void NetCutting::describe(StateFields<NetCutting>& s) {
  s.state("active", &NetCutting::active);
  s.state("queue", &NetCutting::queue);
  s.state("buffer", &NetCutting::buffer);
  s.state("ipv4", &NetCutting::ipv4);
  s.state("tcp", &NetCutting::tcp);
  s.state("ip", &NetCutting::ip);
  s.state("l4", &NetCutting::l4);
  s.state("header-bytes", &NetCutting::header_bytes).range(0, kMostHeader);
  s.state("behind", &NetCutting::behind);
  s.state("segment", &NetCutting::segment);
  s.state("payload", &NetCutting::payload);
  s.state("done", &NetCutting::done);
  s.state("made", &NetCutting::made);
  s.state("sum", &NetCutting::sum);
  s.state("header", &NetCutting::header);
}

Result<> VirtioNet::start(Device& owner, VirtioCore& core) {
  core_ = &core;
  owner_ = &owner;
  TRY(check_properties());
  TRY(boot_index_.join(owner, "/ethernet-phy@0"));
  TRY(port_.attach(
      owner, {.receive = [this](std::span<const Frame> frames) { return receive(frames); },
              .can_send = [this] { go_on_sending(); },
              .link_changed = [this](bool) { link_changed(); },
              .filter = [this] { return filter_.shown(mac_, core_->accepts(kControlVlan)); }}));
  const bool many = (features_ & virtio::bit(kMultiQueue)) != 0 && port_.target() != nullptr;
  pairs_ = many ? static_cast<u16>(std::clamp(port_.target()->queues(), 1U, unsigned{kMostPairs}))
                : u16{1};
  for (u16 n = 0; n < pairs_; ++n) {
    core.add_queue(receive_entries_);
    core.add_queue(send_entries_);
  }
  if ((features_ & virtio::bit(kControl)) != 0) core.add_queue(kControlEntries);
  touched_.assign(pairs_, false);
  send_timer_.init(owner.machine().virtual_clock(), [this] {
    core_->begin_turn();
    transmit();
  });
  mac_ = port_.mac();
  offer();
  reset();
  return {};
}

Result<> VirtioNet::check_properties() const {
  TRY(check_entries("rx_queue_size", receive_entries_, kFewestEntries));
  TRY(check_entries("tx_queue_size", send_entries_, kFewestEntries));
  if (host_mtu_ != 0 && host_mtu_ < kShortestMtu)
    return fail("host_mtu={}: at least {}", host_mtu_, kShortestMtu);
  if (speed_ < kUnknownSpeed) return fail("'speed' must be between 0 and INT_MAX");
  if (!duplex_.empty() && duplex_ != "half" && duplex_ != "full")
    return fail("'duplex' must be 'half' or 'full'");
  if (!tx_.empty() && tx_ != "bh" && tx_ != "timer")
    return fail("tx={}: valid options are timer and bh", tx_);
  return {};
}

void VirtioNet::offer() {
  using virtio::bit;
  // What commands do needs their queue (5.1.3.1).
  constexpr u64 kCommands = bit(kControlRx) | bit(kControlVlan) | bit(kControlRxExtra) |
                            bit(kAnnounce) | bit(kMultiQueue) | bit(kControlMac) |
                            bit(kGuestOffloads);
  u64 features = features_ | bit(kMac);
  if ((features & bit(kControl)) == 0) features &= ~kCommands;
  if (host_mtu_ != 0) features |= bit(kMtu);
  if (speed_ != kUnknownSpeed || !duplex_.empty()) features |= bit(kSpeedDuplex);
  constexpr u64 kOwn = ((u64{1} << 24) - 1) | bit(kSpeedDuplex);
  core_->offered() = (core_->offered() & ~kOwn) | features;
}

void VirtioNet::fill_config() {
  config_ = {};
  std::ranges::copy(mac_.bytes, config_.begin() + kMacAt);
  const u16 status =
      static_cast<u16>((port_.link_up() ? kLinkUp : 0) | (announcing_ ? kAnnounceNow : 0));
  put_le(config_, kStatusAt, status, 2);
  put_le(config_, kPairsAt, pairs_, 2);
  put_le(config_, kMtuAt, host_mtu_, 2);
  put_le(config_, kSpeedAt, static_cast<u32>(speed_), 4);
  config_[kDuplexAt] = duplex_.empty() ? kUnknownDuplex : duplex_ == "half" ? kHalf : kFull;
}

// Old drivers change the address there (5.1.4).
void VirtioNet::config_written(u64, unsigned) {
  if (!core_->accepts(kControlMac) && !core_->accepts(virtio::kVersion1))
    std::copy_n(config_.begin() + kMacAt, mac_.bytes.size(), mac_.bytes.begin());
  fill_config();
}

void VirtioNet::link_changed() {
  fill_config();
  core_->config_changed();
}

bool VirtioNet::has_offload(unsigned feature) const {
  const u64 wanted = offloads_set_ ? offloads_ : core_->accepted();
  return (wanted & virtio::bit(feature)) != 0;
}

/// Only the oldest drivers, which merge no buffers, have the shorter one.
std::size_t VirtioNet::header_bytes() const {
  return core_->accepts(kMergeable) || core_->accepts(virtio::kVersion1) ? kHeader : kLegacyHeader;
}

void VirtioNet::serve(u16 number) {
  if (number == control_queue()) return serve_control();
  if (number % 2 == 0) {
    if (starved_) port_.send_soon();
  } else if (tx_ == "timer" && !send_timer_.armed()) {
    send_timer_.arm_in(timer_ns_);
  } else {
    send_timer_.cancel();
    transmit();
  }
}

void VirtioNet::reset() {
  mac_ = port_.mac();
  used_pairs_ = 1;
  offloads_ = 0;
  offloads_set_ = false;
  announcing_ = announce_due_ = false;
  filter_.reset();
  cutting_ = {};
  batch_.clear();
  send_timer_.cancel();
  fragment_id_ = 0;
  next_pair_ = 0;
  flows_ = {};
  fill_config();
  // What waits in the back end is for nobody now.
  if (starved_) port_.send_soon();
}

void VirtioNet::queue_reset(u16 number) {
  if (cutting_.active && cutting_.queue == number) cutting_ = {};
  // What waits in the back end may be for nobody now, or for another queue.
  if (starved_) port_.send_soon();
}

void VirtioNet::resumed() {
  if (announce_due_ && core_->accepts(kAnnounce)) {
    announcing_ = true;
    link_changed();
  }
  announce_due_ = false;
  // The port may have looked before the device was let go on.
  port_.send_soon();
}

// The network is another's, perhaps: when it goes on, the guest tells it where it is.
Result<> VirtioNet::loaded() {
  if (used_pairs_ > pairs_)
    return fail("{} pairs of queues are in use, and there are {}", used_pairs_, pairs_);
  if ((offloads_ & ~(core_->accepted() & kOffloads)) != 0)
    return fail("offloads {:#x} are on that the driver has not accepted", offloads_);
  // Only within a turn.
  if (!batch_.making().empty()) return fail("a frame is being made");
  const NetCutting& cut = cutting_;
  if (!cut.active) {
    cutting_ = {};
  } else if (cut.queue % 2 == 0 || cut.queue >= 2 * used_pairs_ || !cut.sound(header_bytes()) ||
             !core_->queue(cut.queue).enabled() || cut.buffer.slots == 0 ||
             cut.buffer.slots > core_->queue(cut.queue).in_use()) {
    return fail("a frame is being cut that cannot be");
  }
  announce_due_ = true;
  fill_config();
  return {};
}

}  // namespace rhea::hw
