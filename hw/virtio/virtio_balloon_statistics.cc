// SPDX-License-Identifier: GPL-2.0-or-later
// What the guest says of its memory (OASIS Virtual I/O Device 1.2, 5.5.6.3): a buffer that its
// driver hands in, filled; given back, it is filled anew.
#include "hw/virtio/virtio_balloon.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <fmt/format.h>

#include <cstring>

namespace rhea::hw {

using namespace virtio_balloon;

namespace {

constexpr std::size_t kEntryBytes = 10;  // a tag of 16 bits, a number of 64
constexpr std::size_t kMostEntries = 64;
constexpr unsigned kBuffersAtOnce = 8;
// By tag.
constexpr std::array<std::string_view, 10> kNames = {
    "stat-swap-in",      "stat-swap-out",     "stat-major-faults",     "stat-minor-faults",
    "stat-free-memory",  "stat-total-memory", "stat-available-memory", "stat-disk-caches",
    "stat-htlb-pgalloc", "stat-htlb-pgfail"};

}  // namespace

/// As JSON, which the monitors make an object of.
std::string VirtioBalloon::statistics_text() const {
  std::string text = "{\"stats\": {";
  for (std::size_t n = 0; n < kKinds; ++n)
    text += fmt::format("{}\"{}\": {}", n == 0 ? "" : ", ", kNames[n], statistics_[n]);
  return text + fmt::format("}}, \"last-update\": {}}}", statistics_at_s_);
}

Result<> VirtioBalloon::set_polling(const Value& value) {
  const i64 seconds = TRY(parse_signed(value, {}));
  if (seconds < 0) return fail("timer value must be greater than zero");
  if (seconds > i64{~u32{0}}) return fail("timer value is too big");
  const u32 before = std::exchange(polling_s_, static_cast<u32>(seconds));
  if (core_ == nullptr || polling_s_ == before) return {};
  if (polling_s_ == 0)
    poll_.cancel();
  else if (before == 0)
    poll_.arm_in(0);
  else
    poll_in_time();
  return {};
}

void VirtioBalloon::poll_in_time() {
  if (polling_s_ != 0) poll_.arm_in(i64{polling_s_} * kNsPerSecond);
}

/// A driver should have one buffer there; of several the last one counts.
void VirtioBalloon::take_statistics() {
  VirtQueue& queue = core_->queue(kStatisticsQueue);
  unsigned taken = 0;
  const auto goes_on = [&] { return taken < kBuffersAtOnce && !core_->turn_is_over(); };
  while (goes_on() && queue.pop(buffer_) == Popped::One) {
    ++taken;
    if (holds_statistics_) {
      log_guest("virtio-balloon", "a second buffer of statistics, unasked");
      queue.push(statistics_buffer_, 0);
      core_->tell_driver(kStatisticsQueue);
    }
    std::swap(statistics_buffer_, buffer_);
    holds_statistics_ = true;
    read_statistics();
  }
  if (taken != 0) poll_in_time();
  if (!goes_on()) core_->serve_again(kStatisticsQueue);
}

void VirtioBalloon::read_statistics() {
  std::array<u8, kEntryBytes * kMostEntries> bytes;
  const std::size_t count = std::min<u64>(statistics_buffer_.out_bytes / kEntryBytes, kMostEntries);
  const auto all = std::span(bytes).first(count * kEntryBytes);
  if (!core_->queue(kStatisticsQueue).read(statistics_buffer_, 0, all)) return;
  statistics_ = unknown_statistics();
  for (std::size_t n = 0; n < count; ++n) {
    u16 tag{};
    std::memcpy(&tag, &bytes[n * kEntryBytes], sizeof(tag));
    if (tag < kKinds) std::memcpy(&statistics_[tag], &bytes[n * kEntryBytes + 2], sizeof(u64));
  }
  statistics_at_s_ = owner_->machine().host_clock().now_ns() / kNsPerSecond;
}

void VirtioBalloon::forget_statistics() {
  holds_statistics_ = false;
  statistics_buffer_.clear();
}

/// The driver answers by handing the buffer in again, which has the next question asked in time.
void VirtioBalloon::ask_for_statistics() {
  if (!holds_statistics_ || !core_->live()) return poll_in_time();
  core_->queue(kStatisticsQueue).push(statistics_buffer_, 0);
  forget_statistics();
  core_->tell_driver(kStatisticsQueue);
}

}  // namespace rhea::hw
