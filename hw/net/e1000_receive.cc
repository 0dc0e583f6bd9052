// SPDX-License-Identifier: GPL-2.0-or-later
// How Intel's gigabit cards receive: frames into the guest's buffers (chapter 3.2 of the 8254x
// manual).
#include "hw/net/e1000.h"
#include "hw/net/frame_sums.h"
#include "hw/net/received_sums.h"
#include "hw/net/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {

using namespace e1000;

namespace {

constexpr std::size_t kTagAt = 12, kTagBytes = 4;

struct ReceiveDescriptor {
  u64 address{};
  u64 rest{};
};
static_assert(sizeof(ReceiveDescriptor) == kDescriptorBytes);

}  // namespace

/// The ring as it is while frames come: descriptors are read some at a time, and each once.
struct E1000::ReceiveRing {
  static constexpr u32 kFetched = 64;
  const DmaMaster& dma;
  u64 base;
  u32 entries, head, tail;
  u32 first{0}, count{0};  ///< which were read
  std::array<ReceiveDescriptor, kFetched> fetched{};
  u32 causes{0};

  bool valid() const { return head < entries && tail < entries; }
  u32 free() const { return tail >= head ? tail - head : entries - head + tail; }
  u32 after(u32 at) const { return at + 1 == entries ? 0 : at + 1; }
  u64 address(u32 at) const { return base + u64{at} * kDescriptorBytes; }
  /// Null when it cannot be read.
  const ReceiveDescriptor* at(u32 index) {
    if (index - first >= count) {
      const u32 end = tail > index ? tail : entries;
      first = index;
      count = std::min(end - index, kFetched);
      const std::span all(reinterpret_cast<u8*>(fetched.data()), count * kDescriptorBytes);
      if (dma.read(address(index), all) != MemResult::Ok) {
        count = 0;
        return nullptr;
      }
    }
    return &fetched[index - first];
  }
};

void E1000::receive_control_written() {
  if (starved_) port_.send_soon();
}

void E1000::receive_tail_written() {
  if (starved_) port_.send_soon();
}

// On the port's thread.
std::size_t E1000::receive(std::span<const Frame> frames) {
  const bool again = starved_ && !looping_;
  if (!looping_) starved_ = false;
  const bool listens = (rctl_ & kReceiveEnable) != 0 && (link_up_ || looping_);
  if (!listens) return frames.size();
  ReceiveRing ring{.dma = dma(),
                   .base = u64{rdbah_} << 32 | rdbal_,
                   .entries = static_cast<u32>(rdlen_ / kDescriptorBytes),
                   .head = rdh_,
                   .tail = rdt_};
  if (!ring.valid() && ring.entries != 0)
    log_guest("e1000", "head {} or tail {} is outside of the ring of {} descriptors", rdh_, rdt_,
              ring.entries);
  const u32 low = ring.entries >> ((rctl_ >> 8 & 3) + 1);
  const bool had_many = ring.valid() && ring.free() > low;
  std::size_t taken = 0;
  while (taken < frames.size() && receive_one(ring, frames[taken]) == Outcome::Done) ++taken;
  rdh_ = ring.head;
  if (taken < frames.size()) {
    e1000_no_room(*this, frames[taken].size());
    if (!looping_) starved_ = true;
    // Once for a frame, however often it is offered.
    if (!again || taken != 0) count(kNoBuffers);
  }
  if (had_many && ring.free() <= low) ring.causes |= kIntReceiveLow;
  const bool delayed = delays_received() && (ring.causes & kIntSmall) == 0;
  if ((ring.causes & kIntReceived) != 0 && delayed) {
    ring.causes &= ~kIntReceived;
    delay(receive_delay_, receive_absolute_at_, rdtr_, radv_);
  }
  if (ring.causes != 0) raise(ring.causes);
  return taken;
}

E1000::Outcome E1000::receive_one(ReceiveRing& ring, Frame frame) {
  if (take_pause(frame)) return Outcome::Done;
  const Match match = matches(frame);
  if (match == Match::No) {
    e1000_filtered(*this, frame.size());
    return Outcome::Done;
  }
  if (too_long(frame)) {
    count(kOversize);
    return Outcome::Done;
  }
  return store(ring, frame, match);
}

// IEEE 802.3x: a frame to the address of all pauses, or to this card, has it wait before it sends.
bool E1000::take_pause(Frame frame) {
  constexpr std::size_t kTypeAt = 12, kOpcodeAt = 14, kTimeAt = 16, kEnd = 18;
  constexpr u16 kPause = 1;
  constexpr i64 kQuantumNs = 512;  // bit times, at 1000 Mb/s
  if ((ctrl_ & kReceivePauses) == 0 || frame.size() < kEnd) return false;
  if (be16(frame, kTypeAt) != (fct_ & 0xffff) || be16(frame, kOpcodeAt) != kPause) return false;
  const u32 low = frame[0] | frame[1] << 8 | frame[2] << 16 | u32{frame[3]} << 24;
  const u32 high = frame[4] | u32{frame[5]} << 8;
  if (low != fcal_ || high != (fcah_ & 0xffff)) return false;
  const u16 time = be16(frame, kTimeAt);
  count(time == 0 ? kXonReceived : kXoffReceived);
  if (time != 0) {
    pause_.arm_in(time * kQuantumNs);
  } else if (pause_.armed()) {
    pause_.cancel();
    port_.send_soon();
  }
  return (rctl_ & (kPassControl | kDropPauses)) != kPassControl;
}

u32 E1000::buffer_bytes() const {
  const u32 size = rctl_ >> 16 & 3;
  if ((rctl_ & kSizeExtended) == 0) return 2048 >> size;
  // The first is reserved.
  return size == 0 ? 2048 : 32768U >> size;
}

// The descriptor's status, errors and packet checksum, as its second half has them.
u64 E1000::sums_of(Frame frame, std::size_t first) const {
  u8 status = 0, errors = 0;
  const std::size_t at = first + 14;
  const SumCheck check = check_sums(frame, at);
  const bool checks_any = (rxcsum_ & (kCheckIp | kCheckTcpUdp)) != 0;
  if (!check.is_ip || !checks_any) status |= kGotIgnoreSums;
  if ((rxcsum_ & kCheckIp) != 0 && check.ip != SumCheck::Result::NotChecked) {
    status |= kGotIp;
    if (check.ip == SumCheck::Result::Bad) errors |= kBadIp;
  }
  const bool version6 = frame.size() > at && frame[at] >> 4 == 6;
  const bool checks = (rxcsum_ & kCheckTcpUdp) != 0 && (!version6 || (rxcsum_ & kCheckIpv6) != 0);
  if (checks && check.tcp_udp != SumCheck::Result::NotChecked) {
    status |= kGotTcpUdp;
    if (check.tcp_udp == SumCheck::Result::Bad) errors |= kBadTcpUdp;
  }
  return u64{status} << 32 | u64{errors} << 40;
}

// What goes into the guest's buffers, one part behind the other.
E1000::Stored E1000::as_stored(Frame frame) const {
  constexpr static std::array<u8, kShortest> kPadding{};
  Stored stored;
  stored.tagged = is_tagged(frame);
  stored.stripped = stored.tagged && (ctrl_ & kVlanMode) != 0;
  const Frame rest = frame.subspan(stored.stripped ? kTagAt + kTagBytes : kTagAt);
  const std::size_t bytes = kTagAt + rest.size();
  stored.parts = {frame.first(kTagAt), rest,
                  Frame(kPadding).first(kShortest - std::min(bytes, kShortest))};
  for (const Frame part : stored.parts) stored.bytes += part.size();
  if ((rctl_ & kStripCheck) != 0) return stored;
  // As the frame was on the wire: with its tag, and padded.
  std::array<u8, kShortest> padded{};
  Frame sent = frame;
  if (frame.size() < kShortest) {
    std::ranges::copy(frame, padded.begin());
    sent = padded;
  }
  const u32 check = frame_check(sent);
  std::memcpy(stored.check.data(), &check, kCheckBytes);
  stored.bytes += kCheckBytes;
  return stored;
}

// Nothing is written before there is room for all of it.
E1000::Plan E1000::plan(ReceiveRing& ring, std::size_t bytes) const {
  Plan plan;
  const u32 size = buffer_bytes();
  std::size_t placed = 0;
  if (!ring.valid()) return plan;
  for (u32 at = ring.head; placed < bytes; at = ring.after(at)) {
    if (at == ring.tail) {
      // It may fit when the guest has given more buffers, if it ever can.
      plan.never = ring.head == ring.after(ring.tail);
      return plan;
    }
    const ReceiveDescriptor* descriptor = ring.at(at);
    if (descriptor == nullptr || plan.count == plan.pieces.size()) {
      plan.never = true;
      return plan;
    }
    // One without an address is passed over.
    const std::size_t length =
        descriptor->address == 0 ? 0 : std::min<std::size_t>(size, bytes - placed);
    plan.pieces[plan.count++] = {.address = descriptor->address,
                                 .length = static_cast<u32>(length)};
    placed += length;
  }
  plan.fits = true;
  return plan;
}

// Bytes [from, from + length) of what is stored.
void E1000::write_part(const Stored& stored, std::size_t from, u32 length, u64 address) {
  const std::array<Frame, 4> parts = {stored.parts[0], stored.parts[1], stored.parts[2],
                                      stored.check};
  for (const Frame part : parts) {
    if (from >= part.size()) {
      from -= part.size();
      continue;
    }
    const std::size_t some = std::min<std::size_t>(part.size() - from, length);
    if (some != 0 && dma().write(address, part.subspan(from, some)) != MemResult::Ok)
      log_guest("e1000", "no buffer at {:#x}", address);
    from = 0;
    address += some;
    length -= static_cast<u32>(some);
  }
}

E1000::Outcome E1000::store(ReceiveRing& ring, Frame frame, Match match) {
  const Stored stored = as_stored(frame);
  const Plan places = plan(ring, stored.bytes);
  if (!places.fits && !places.never) return Outcome::NoRoom;
  if (!places.fits) {
    count(kMissed);
    ring.causes |= kIntOverrun;
    return Outcome::Done;
  }
  u64 last = sums_of(frame, stored.tagged ? kTagBytes : 0) | u64{kGotEnd} << 32;
  if (stored.stripped) last |= u64{be16(frame, kTagAt + 2)} << 48 | u64{kGotTag} << 32;
  if (match == Match::Inexactly) last |= u64{kGotInexactly} << 32;
  const std::size_t from = std::min<std::size_t>(rxcsum_ & 0xff, frame.size());
  last |= u64{internet_sum(frame.subspan(from))} << 16;
  std::size_t written = 0;
  for (unsigned n = 0; n < places.count; ++n) {
    const auto& [address, length] = places.pieces[n];
    write_part(stored, written, length, address);
    written += length;
    const u64 word = length | u64{kGotDone} << 32 | (n + 1 == places.count ? last : 0);
    if (dma().write_value(ring.address(ring.head) + 8, word) != MemResult::Ok)
      log_guest("e1000", "no descriptor at {:#x}", ring.address(ring.head));
    ring.head = ring.after(ring.head);
  }
  const std::size_t length = std::max(frame.size(), kShortest) + kCheckBytes;
  count_frame(kReceivedFrames, frame, length);
  ring.causes |= kIntReceived;
  if (length <= (rsrpd_ & 0xfff)) ring.causes |= kIntSmall;
  e1000_received(*this, frame.size(), places.count);
  return Outcome::Done;
}

}  // namespace rhea::hw
