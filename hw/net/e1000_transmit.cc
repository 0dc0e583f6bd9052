// SPDX-License-Identifier: GPL-2.0-or-later
// How Intel's gigabit cards send: the ring of descriptors, what they are put together to
// (chapters 3.3 and 3.4 of the 8254x manual).
#include "hw/net/e1000.h"
#include "hw/net/frame_sums.h"
#include "hw/net/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace e1000;

namespace {

// What one call does at most: others want the card, too.
constexpr unsigned kMostDescriptors = 256, kMostBatches = 4;
constexpr u32 kMostBytes = 512 * KiB;
constexpr u32 kTypeMask = 0xf << 20, kTypeContext = 0, kTypeData = 1 << 20;

}  // namespace

struct E1000::SendDescriptor {
  u64 address{};
  u32 lower{}, upper{};
};
static_assert(sizeof(u64) + 2 * sizeof(u32) == kDescriptorBytes);

/// What is left to do in a call, and descriptors that were read together.
struct E1000::SendTurn {
  static constexpr u32 kFetched = 32;
  std::array<SendDescriptor, kFetched> fetched{};
  u32 next{0}, count{0};
  unsigned descriptors{kMostDescriptors};
  unsigned batches{kMostBatches};
  u32 bytes{kMostBytes};
  u32 causes{0};
  bool report{false}, report_delayed{false};

  bool goes_on() const { return descriptors != 0 && batches != 0 && bytes != 0; }
};

void E1000Context::describe(StateFields<E1000Context>& s) {
  s.state("ip-start", &E1000Context::ip_start);
  s.state("ip-at", &E1000Context::ip_at);
  s.state("ip-end", &E1000Context::ip_end);
  s.state("start", &E1000Context::start);
  s.state("at", &E1000Context::at);
  s.state("end", &E1000Context::end);
  s.state("segment", &E1000Context::segment);
  s.state("header", &E1000Context::header);
  s.state("tcp", &E1000Context::tcp);
  s.state("ipv4", &E1000Context::ipv4);
}

void E1000Making::describe(StateFields<E1000Making>& s) {
  s.state("begun", &E1000Making::begun);
  s.state("segments", &E1000Making::segments);
  s.state("tagged", &E1000Making::tagged);
  s.state("too-long", &E1000Making::too_long);
  s.state("options", &E1000Making::options);
  s.state("tag", &E1000Making::tag);
  s.state("payload", &E1000Making::payload);
  s.state("made", &E1000Making::made);
  s.state("header-bytes", &E1000Making::header_bytes);
  s.state("header", &E1000Making::header);
  s.state("reading", &E1000Making::reading);
  s.state("address", &E1000Making::address);
  s.state("left", &E1000Making::left).range(0, 0xfffff);
  s.state("lower", &E1000Making::lower);
  s.state("upper", &E1000Making::upper);
}

bool E1000::sending_enabled() const { return (tctl_ & kSendEnable) != 0 && !pause_.armed(); }

void E1000::send_tail_written() {
  if (sending_enabled()) port_.send_soon();
}

// On the port's thread.
void E1000::transmit() {
  if (!flush() || !sending_enabled()) return;
  SendTurn turn;
  const bool had_work = tdh_ != tdt_;
  bool more = true;
  while (more && turn.goes_on()) {
    if (!batch_.has_room()) {
      --turn.batches;
      more = flush();
    } else if (!making_.reading && !next_descriptor(turn)) {
      more = false;
    } else if (making_.left != 0) {
      read_some(turn);
    } else {
      end_descriptor(turn);
    }
  }
  if (flush() && more) port_.send_soon();
  if (had_work && tdh_ == tdt_) turn.causes |= kIntSendEmpty;
  if (turn.report || (turn.report_delayed && !delays_sent()))
    turn.causes |= kIntSent;
  else if (turn.report_delayed)
    delay(send_delay_, send_absolute_at_, tidv_, tadv_);
  if (turn.causes != 0) raise(turn.causes);
}

// Reads the descriptor at the head, or takes one that was read with an earlier one; false when
// there is none.
bool E1000::next_descriptor(SendTurn& turn) {
  const u32 entries = tdlen_ / kDescriptorBytes;
  if (tdh_ == tdt_) return false;
  if (tdh_ >= entries || tdt_ >= entries) {
    log_guest("e1000", "head {} or tail {} is outside of the ring of {} descriptors", tdh_, tdt_,
              entries);
    return false;
  }
  if (turn.next == turn.count) {
    const u32 end = tdt_ > tdh_ ? tdt_ : entries;
    turn.next = 0;
    turn.count = std::min(end - tdh_, SendTurn::kFetched);
    const u64 base = u64{tdbah_} << 32 | tdbal_;
    const std::span all(reinterpret_cast<u8*>(turn.fetched.data()), turn.count * kDescriptorBytes);
    if (dma().read(base + u64{tdh_} * kDescriptorBytes, all) != MemResult::Ok) {
      log_guest("e1000", "no descriptors at {:#x}", base + u64{tdh_} * kDescriptorBytes);
      turn.count = 0;
      return false;
    }
  }
  begin_descriptor(turn.fetched[turn.next++]);
  return true;
}

void E1000::begin_descriptor(const SendDescriptor& descriptor) {
  const u32 type = descriptor.lower & (kSendExtended | kTypeMask);
  making_.reading = true;
  making_.lower = descriptor.lower;
  making_.upper = descriptor.upper;
  making_.address = descriptor.address;
  making_.left = 0;
  if (type == (kSendExtended | kTypeContext)) return take_context(descriptor);
  const bool data = type == (kSendExtended | kTypeData);
  if (!data && (descriptor.lower & kSendExtended) != 0) {
    log_guest("e1000", "there is no type {} of descriptors", descriptor.lower >> 20 & 0xf);
    return;
  }
  making_.left = descriptor.lower & (data ? 0xfffff : 0xffff);
  if (!making_.begun) {
    making_.begun = true;
    // Without a length of segments it is one frame.
    making_.segments =
        data && (descriptor.lower & kSendSegments) != 0 && segment_context_.segment != 0;
    making_.options = data ? static_cast<u8>(descriptor.upper >> 8) : u8{0};
    if (making_.segments) count(kSegmented);
  }
  if ((descriptor.lower & kSendTag) != 0 && (ctrl_ & kVlanMode) != 0 &&
      (making_.segments || (descriptor.lower & kSendEnd) != 0)) {
    making_.tagged = true;
    making_.tag = static_cast<u16>(descriptor.upper >> 16);
  }
}

void E1000::take_context(const SendDescriptor& descriptor) {
  const auto& [address, lower, upper] = descriptor;
  E1000Context& context = (lower & kSendSegments) != 0 ? segment_context_ : plain_context_;
  context = {.ip_start = static_cast<u8>(address),
             .ip_at = static_cast<u8>(address >> 8),
             .ip_end = static_cast<u16>(address >> 16),
             .start = static_cast<u8>(address >> 32),
             .at = static_cast<u8>(address >> 40),
             .end = static_cast<u16>(address >> 48),
             .segment = static_cast<u16>(upper >> 16),
             .header = static_cast<u8>(upper >> 8),
             .tcp = (lower & kContextTcp) != 0,
             .ipv4 = (lower & kContextIpv4) != 0};
}

// Up to the end of the segment or of the descriptor.
void E1000::read_some(SendTurn& turn) {
  if (making_.segments && making_.header_bytes < segment_context_.header) return read_header(turn);
  std::size_t most = FrameBatch::kLongest;
  if (making_.segments) {
    if (batch_.making().empty())
      std::ranges::copy(std::span(making_.header).first(making_.header_bytes),
                        batch_.extend(making_.header_bytes).begin());
    // A context that came in between may say 0, and then there would be no end.
    const std::size_t segment = std::max(segment_context_.segment, u16{1});
    most = std::min(most, std::size_t{making_.header_bytes} + segment);
  }
  const std::size_t room = most - std::min(most, batch_.making().size());
  if (room == 0 && making_.segments) return finish_segment(false);
  if (room == 0) {
    making_.too_long = true;
    making_.left = 0;
    return;
  }
  const auto bytes = static_cast<u32>(std::min<std::size_t>(room, making_.left));
  const std::span<u8> into = batch_.extend(bytes);
  // What cannot be read is all ones.
  if (dma().read(making_.address, into) != MemResult::Ok) std::ranges::fill(into, u8{0xff});
  making_.address += bytes;
  making_.left -= bytes;
  turn.bytes -= std::min(turn.bytes, bytes);
}

void E1000::read_header(SendTurn& turn) {
  const u32 missing = segment_context_.header - u32{making_.header_bytes};
  const u32 bytes = std::min(missing, making_.left);
  const std::span<u8> into = std::span(making_.header).subspan(making_.header_bytes, bytes);
  if (dma().read(making_.address, into) != MemResult::Ok) std::ranges::fill(into, u8{0xff});
  making_.header_bytes = static_cast<u8>(making_.header_bytes + bytes);
  making_.address += bytes;
  making_.left -= bytes;
  turn.bytes -= std::min(turn.bytes, bytes);
}

// All of it has been read: the frame may be complete, and the guest gets it back.
void E1000::end_descriptor(SendTurn& turn) {
  const u32 type = making_.lower & (kSendExtended | kTypeMask);
  const bool frame = type != (kSendExtended | kTypeContext);
  if (frame && (making_.lower & kSendEnd) != 0) finish_frame();
  making_.reading = false;
  --turn.descriptors;
  if ((making_.lower & kSendReport) != 0) {
    const u64 address = (u64{tdbah_} << 32 | tdbal_) + u64{tdh_} * kDescriptorBytes + 12;
    if (dma().write_value(address, (making_.upper & ~kSendFailures) | kSendDone) != MemResult::Ok)
      log_guest("e1000", "no descriptor at {:#x}", address);
    ((making_.lower & kSendDelay) != 0 ? turn.report_delayed : turn.report) = true;
  }
  const u32 entries = tdlen_ / kDescriptorBytes;
  tdh_ = tdh_ + 1 >= entries ? 0 : tdh_ + 1;
  const u32 waiting = tdt_ >= tdh_ ? tdt_ - tdh_ : entries - tdh_ + tdt_;
  const u32 low = (txdctl_ >> 25) * 8;
  if (low != 0 && waiting == low) turn.causes |= kIntSendLow;
}

bool E1000::loops_back() const { return (rctl_ & kLoopback) != 0 || phy_.loops_back(); }

// Hands on what is finished; false when some of it is left: can_send() comes when there is room.
bool E1000::flush() {
  const auto frames = batch_.frames();
  if (frames.empty()) return true;
  if (loops_back()) {
    loop_back(frames);
    batch_.taken(frames.size());
    return true;
  }
  const std::size_t taken = port_.send(frames);
  batch_.taken(taken);
  return taken == frames.size();
}

// What it has no buffers for is lost: nobody keeps it.
void E1000::loop_back(std::span<const Frame> frames) {
  looping_ = true;
  const std::size_t taken = receive(frames);
  looping_ = false;
  if (taken == frames.size()) return;
  count(kMissed, frames.size() - taken);
  raise(kIntOverrun);
}

}  // namespace rhea::hw
