// SPDX-License-Identifier: GPL-2.0-or-later
// What the balloon is, and its pages.
#include "hw/virtio/virtio_balloon.h"

#include "rhea/softmmu/machine.h"
#include "rhea/softmmu/tool_events.h"
#include "rhea/util/log.h"
#include "softmmu/discard.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace virtio_balloon;

namespace {

constexpr VirtioKind kBalloon{.id = 5, .transitional_id = 0x1002, .pci_class = 0x00ff};
constexpr u16 kEntries = 128, kReportEntries = 32;
// In one turn, besides the descriptors that it ends with: pages, what a buffer costs besides them,
// and how many page numbers are read at once.
constexpr u64 kPagesAtOnce = 4096, kBufferCost = 64;
constexpr std::size_t kNumbersAtOnce = 256;

void put_le32(std::span<u8> bytes, std::size_t at, u32 value) {
  for (unsigned n = 0; n < 4; ++n) bytes[at + n] = static_cast<u8>(value >> (8 * n));
}
u32 get_le32(std::span<const u8> bytes, std::size_t at) {
  u32 value = 0;
  for (unsigned n = 0; n < 4; ++n) value |= u32{bytes[at + n]} << (8 * n);
  return value;
}
void spend(u64& budget, u64 cost) { budget -= std::min(budget, cost); }

}  // namespace

VirtioKind VirtioBalloon::kind() const { return kBalloon; }

// ---- Made of

Result<> VirtioBalloon::start(Device& owner, VirtioCore& core) {
  core_ = &core;
  owner_ = &owner;
  if (hints_) return fail("'free-page-hint' requires 'iothread' to be set, which there is not");
  TRY(take_the_place());
  config_bytes_ =
      whole_config_ || (features_ & virtio::bit(kPagePoison)) != 0 ? kConfigBytes : kShortConfig;
  for (u16 n = 0; n < queues(); ++n) core.add_queue(n == kReportQueue ? kReportEntries : kEntries);
  constexpr u64 kOwn = ~virtio::kLegacyFeatures & 0x00ff'ffff;
  core.offered() = (core.offered() & ~kOwn) | features_ | virtio::bit(kStatistics);
  poll_.init(owner.machine().virtual_clock(), [this] { ask_for_statistics(); });
  changed_.init(owner.machine().loop(), [this] { tell_tools(); });
  fill_config();
  return {};
}

Result<> VirtioBalloon::take_the_place() {
  auto& place = owner_->machine().service<BalloonPlace>();
  if (place.balloon != nullptr) return fail("Only one balloon device is supported");
  place.balloon = this;
  owner_->on_unrealize([&place] { place.balloon = nullptr; });
  return {};
}

u16 VirtioBalloon::queues() const {
  return (features_ & virtio::bit(kReporting)) != 0 ? kReportQueue + 1 : kReportQueue;
}

void VirtioBalloon::fill_config() {
  config_ = {};
  put_le32(config_, kTargetAt, target_pages_);
  put_le32(config_, kActualAt, actual_pages_);
  put_le32(config_, kPoisonAt, poison_);
}

void VirtioBalloon::config_written(u64, unsigned) {
  const u32 before = actual_pages_;
  actual_pages_ = get_le32(config_, kActualAt);
  if (core_->accepts(kPagePoison)) poison_ = get_le32(config_, kPoisonAt);
  fill_config();
  if (actual_pages_ != before) changed_.schedule();
}

void VirtioBalloon::reset() {
  if (actual_pages_ != 0) changed_.schedule();
  actual_pages_ = poison_ = 0;
  done_ = {};
  poll_.cancel();
  forget_statistics();
  fill_config();
}

void VirtioBalloon::queue_reset(u16 number) {
  done_[number] = 0;
  if (number == kStatisticsQueue) forget_statistics();
}

Result<> VirtioBalloon::loaded() {
  const u16 slots = statistics_buffer_.slots;
  if (holds_statistics_ && (slots == 0 || slots > core_->queue(kStatisticsQueue).in_use()))
    return fail("a buffer of statistics is held that was not taken");
  fill_config();
  changed_.schedule();
  statistics_ = unknown_statistics();
  statistics_at_s_ = 0;
  if (holds_statistics_ && polling_s_ != 0 && !poll_.armed()) poll_in_time();
  return {};
}

// ---- For monitors

u64 VirtioBalloon::bytes_left() const {
  const u64 all = owner_->machine().config.ram_size;
  return all - std::min(all, u64{actual_pages_} << kPageShift);
}

u64 VirtioBalloon::guest_bytes() const {
  const DomainGuard guard(owner_->lock_domain());
  return bytes_left();
}

void VirtioBalloon::set_target(u64 bytes) {
  const u64 all = owner_->machine().config.ram_size;
  const u64 pages = (all - std::min(all, bytes)) >> kPageShift;
  const DomainGuard guard(owner_->lock_domain());
  target_pages_ = static_cast<u32>(std::min<u64>(pages, ~u32{0}));
  fill_config();
  core_->config_changed();
}

void VirtioBalloon::tell_tools() {
  if (std::exchange(told_pages_, actual_pages_) != actual_pages_)
    owner_->machine().service<ToolEvents>().tell("BALLOON_CHANGE", {{"actual", bytes_left()}});
}

// ---- Pages

void VirtioBalloon::serve(u16 number) {
  number == kStatisticsQueue ? take_statistics() : use_queue(number);
}

/// Of a buffer that takes more than a turn the rest comes in the next ones; the driver has it back
/// when all is done.
void VirtioBalloon::use_queue(u16 number) {
  VirtQueue& queue = core_->queue(number);
  u64 pages = kPagesAtOnce;
  bool gave = false;
  const auto goes_on = [&] { return pages != 0 && !core_->turn_is_over(); };
  while (goes_on() && queue.pop(buffer_) == Popped::One) {
    spend(pages, kBufferCost);
    if (!finish(number, pages)) {
      if (!queue.broken()) queue.undo_pop(buffer_);
      break;
    }
    done_[number] = 0;
    queue.push(buffer_, 0);
    gave = true;
  }
  if (gave) core_->tell_driver(number);
  if (!goes_on()) core_->serve_again(number);
}

/// False when the turn is over, or the queue broken. Pages that leave the balloon need nothing.
bool VirtioBalloon::finish(u16 number, u64& pages) {
  switch (number) {
    case kInflateQueue: return give_back_listed(pages);
    case kReportQueue: return give_back_reported(pages);
    default: return true;
  }
}

bool VirtioBalloon::give_back_listed(u64& pages) {
  VirtQueue& queue = core_->queue(kInflateQueue);
  const AddressSpace& memory = owner_->machine().memory();
  std::array<u32, kNumbersAtOnce> numbers;
  u64& done = done_[kInflateQueue];
  while (buffer_.out_bytes - std::min(done, buffer_.out_bytes) >= sizeof(u32)) {
    if (pages == 0) return false;
    const u64 listed = (buffer_.out_bytes - done) / sizeof(u32);
    const u64 count = std::min({u64{numbers.size()}, pages, listed});
    const auto some = std::span(numbers).first(count);
    if (!queue.read(buffer_, done, {reinterpret_cast<u8*>(some.data()), some.size_bytes()}))
      return false;
    std::ranges::sort(some);
    for (std::size_t first = 0, end = 0; first < count; first = end) {
      for (end = first + 1; end < count && some[end] == some[end - 1] + 1; ++end) {
      }
      give_back(memory, u64{some[first]} << kPageShift, u64{end - first} << kPageShift);
    }
    done += count * sizeof(u32);
    spend(pages, count);
  }
  return true;
}

/// They must hold what the driver says that free pages hold (5.5.6.7): nothing is done with them
/// unless that is zero.
bool VirtioBalloon::give_back_reported(u64& pages) {
  if (poison_ != 0) return true;
  const AddressSpace& memory = core_->memory().space();
  u64& done = done_[kReportQueue];
  u64 at = 0;
  for (const DmaSegment& segment : buffer_.in.segments()) {
    at += segment.length;
    if (at <= done) continue;
    if (pages == 0) return false;
    const u64 rest = at - done;
    const u64 bytes = std::min(rest, pages << kPageShift);
    give_back(memory, segment.address + (segment.length - rest), bytes);
    done += bytes;
    spend(pages, (bytes >> kPageShift) + 1);
    if (bytes < rest) return false;
  }
  return true;
}

void VirtioBalloon::give_back(const AddressSpace& space, u64 address, u64 bytes) {
  const auto given = discard_memory(space, address, bytes);
  if (!given) {
    if (refusals_.pass()) report_warning(given.error().message());
  } else if (*given < bytes) {
    log_guest("virtio-balloon", "{:#x} bytes from {:#x} on are not all pages of memory", bytes,
              address);
  }
}

}  // namespace rhea::hw
