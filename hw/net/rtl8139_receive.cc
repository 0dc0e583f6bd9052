// SPDX-License-Identifier: GPL-2.0-or-later
// How Realtek's RTL8139 receives: filters, the ring of bytes, the ring of descriptors of C+ mode.
#include "hw/net/frame_sums.h"
#include "hw/net/multicast_hash.h"
#include "hw/net/received_sums.h"
#include "hw/net/rtl8139.h"
#include "hw/net/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rhea::hw {

using namespace rtl8139;

namespace {

constexpr std::size_t kHeader = 14, kTypeAt = 12, kTagBytes = 4, kFrameHeader = 4;
constexpr i64 kRetryNs = 1'000'000;

/// A frame as it lies in memory: padded, with its check sequence.
struct Stored {
  std::array<u8, kFrameHeader + kLongest + kCheckBytes + 4> bytes{};
  std::size_t count{0};

  void add(Frame more) {
    std::ranges::copy(more, bytes.begin() + static_cast<std::ptrdiff_t>(count));
    count += more.size();
  }
  void end(std::size_t from) {
    count = std::max(count, from + kShortest);
    const u32 check = frame_check(std::span(bytes).subspan(from, count - from));
    std::memcpy(bytes.data() + count, &check, kCheckBytes);
    count += kCheckBytes;
  }
  Frame all() const { return std::span(bytes).first(count); }
};

}  // namespace

bool Rtl8139::receives() const {
  return (cr_ & kReceiveEnable) != 0 && (looping_ || (port_.link_up() && !loops_back()));
}

// On the port's thread.
std::size_t Rtl8139::receive(std::span<const Frame> frames) {
  const bool again = starved_ && !looping_;
  if (!looping_) starved_ = false;
  if (!receives()) return frames.size();
  u16 causes = 0;
  std::size_t taken = 0;
  while (taken < frames.size() && receive_one(frames[taken], causes) == Outcome::Done) ++taken;
  if (taken < frames.size()) {
    rtl8139_no_room(*this, frames[taken].size());
    if (!looping_) {
      starved_ = true;
      // A guest may give descriptors without a word.
      if ((cpcr_ & kPlusReceive) != 0) retry_.arm_in(kRetryNs);
    }
    // Once for a frame, however often it is offered.
    if (!again || taken != 0) causes |= kIntOverflow;
  }
  if (causes != 0) raise(causes);
  return taken;
}

Rtl8139::Match Rtl8139::match(Frame frame) const {
  if (frame.size() < kHeader) return Match::No;
  const Frame to = frame.first(6);
  if (std::ranges::all_of(to, [](u8 b) { return b == 0xff; }))
    return (rcr_ & kAcceptBroadcast) != 0 ? Match::Broadcast : Match::No;
  if ((to[0] & 1) != 0) {
    const unsigned hash = multicast_hash(to);
    const bool wanted = (mar_[hash >> 3] >> (hash & 7) & 1) != 0;
    return wanted && (rcr_ & kAcceptMulticast) != 0 ? Match::Multicast : Match::No;
  }
  if (std::ranges::equal(to, idr_) && (rcr_ & (kAcceptOwn | kAllPhysical)) != 0) return Match::Own;
  return (rcr_ & kAllPhysical) != 0 ? Match::Other : Match::No;
}

void Rtl8139::count_missed(std::size_t frames) {
  mpc_ = static_cast<u32>(std::min<std::size_t>(mpc_ + frames, 0xff'ffff));
  tally_.missed = static_cast<u16>(std::min<std::size_t>(tally_.missed + frames, 0xffff));
}

void Rtl8139::count_received(Match match) {
  ++tally_.received;
  if (match == Match::Own) ++tally_.received_own;
  if (match == Match::Broadcast) ++tally_.received_broadcast;
  if (match == Match::Multicast) ++tally_.received_multicast;
}

Rtl8139::Outcome Rtl8139::receive_one(Frame frame, u16& causes) {
  const Match how = match(frame);
  if (how == Match::No) {
    rtl8139_filtered(*this, frame.size());
    return Outcome::Done;
  }
  if (frame.size() > kLongest) {
    ++tally_.receive_errors;
    if (receive_errors_ != 0xffff) ++receive_errors_;
    if ((rcr_ & kAcceptErrors) != 0) causes |= kIntReceiveError;
    return Outcome::Done;
  }
  return (cpcr_ & kPlusReceive) != 0 ? store_plus(frame, how, causes) : store(frame, how, causes);
}

Rtl8139::Outcome Rtl8139::store(Frame frame, Match match, u16& causes) {
  const u32 size = ring_bytes();
  Stored stored;
  stored.count = kFrameHeader;
  stored.add(frame);
  stored.end(kFrameHeader);
  const auto length = static_cast<u16>(stored.count - kFrameHeader);
  stored.count = (stored.count + 3) & ~std::size_t{3};
  u16 status = kGotOk;
  if (match == Match::Own) status |= kGotOwn;
  if (match == Match::Broadcast) status |= kGotBroadcast;
  if (match == Match::Multicast) status |= kGotMulticast;
  std::memcpy(stored.bytes.data(), &status, 2);
  std::memcpy(stored.bytes.data() + 2, &length, 2);

  const u32 at = cbr_ % size & ~u32{3};
  const u32 used = (at - (capr_ + 16U)) % size;
  // Were it full, it would look empty.
  if (stored.count >= size - used) return Outcome::NoRoom;
  const bool wraps = (rcr_ & kNoWrap) == 0 || size == 64 * KiB;
  const std::size_t before = wraps ? std::min<std::size_t>(stored.count, size - at) : stored.count;
  const Frame all = stored.all();
  bool fine = dma().write(rbstart_ + at, all.first(before)) == MemResult::Ok;
  if (before < all.size()) fine &= dma().write(rbstart_, all.subspan(before)) == MemResult::Ok;
  if (!fine) {
    log_guest("rtl8139", "no buffer at {:#x}", rbstart_);
    causes |= kIntSystemError;
  }
  cbr_ = static_cast<u16>((at + stored.count) % size);
  if ((rcr_ & kEarlyThreshold) != 0) {
    ersr_ = kEarlyOk | kEarlyGood;
    erbcr_ = length;
  }
  count_received(match);
  causes |= kIntReceived;
  rtl8139_received(*this, frame.size());
  return Outcome::Done;
}

// What the card found in a packet, as a descriptor's first word says it.
u32 Rtl8139::plus_sums(Frame frame) const {
  std::size_t at = kHeader;
  if (frame.size() >= kHeader + kTagBytes && be16(frame, kTypeAt) == kVlanType) at += kTagBytes;
  const SumCheck check = check_sums(frame, at);
  // Of IPv4 alone.
  if ((cpcr_ & kPlusSums) == 0 || check.ip == SumCheck::Result::NotChecked) return 0;
  if (check.ip == SumCheck::Result::Bad) return kPlusIp | kPlusBadIp;
  if (check.tcp_udp == SumCheck::Result::NotChecked) return kPlusIp;
  const bool bad = check.tcp_udp == SumCheck::Result::Bad;
  constexpr std::size_t kProtocolAt = 9;
  constexpr u8 kTcp = 6;
  if (frame[at + kProtocolAt] == kTcp) return kPlusTcp | (bad ? kPlusBadTcp : 0);
  return kPlusUdp | (bad ? kPlusBadUdp : 0);
}

Rtl8139::Outcome Rtl8139::store_plus(Frame frame, Match match, u16& causes) {
  Stored stored;
  u32 tag = 0;
  if ((cpcr_ & kPlusUntag) != 0 && frame.size() >= kHeader + kTagBytes &&
      be16(frame, kTypeAt) == kVlanType) {
    tag = kGotTag | u32{frame[kHeader + 1]} << 8 | frame[kHeader];
    stored.add(frame.first(kTypeAt));
    stored.add(frame.subspan(kTypeAt + kTagBytes));
  } else {
    stored.add(frame);
  }
  stored.end(0);

  // Nothing is written before there is room for all of it.
  struct Piece {
    u64 descriptor, address;
    u32 command, length;
  };
  std::array<Piece, kMostDescriptors> pieces;
  unsigned count = 0;
  std::size_t placed = 0;
  u8 index = next_got_;
  const u64 ring = u64{rdsar_high_} << 32 | rdsar_low_;
  while (placed < stored.count) {
    std::array<u32, 4> words{};
    const u64 address = ring + index * u64{kDescriptorBytes};
    const std::span bytes(reinterpret_cast<u8*>(words.data()), kDescriptorBytes);
    if (dma().read(address, bytes) != MemResult::Ok) {
      log_guest("rtl8139", "no descriptor at {:#x}", address);
      causes |= kIntSystemError;
      count_missed(1);
      return Outcome::Done;
    }
    if ((words[0] & kOwn) == 0) return Outcome::NoRoom;
    const u32 length =
        static_cast<u32>(std::min<std::size_t>(words[0] & kReceiveSize, stored.count - placed));
    pieces[count++] = {.descriptor = address,
                       .address = u64{words[3]} << 32 | words[2],
                       .command = words[0],
                       .length = length};
    placed += length;
    const bool ends = (words[0] & kEndOfRing) != 0 || index + 1U == kMostDescriptors;
    index = ends ? u8{0} : static_cast<u8>(index + 1);
    if (placed < stored.count && (index == next_got_ || count == pieces.size())) {
      // It does not fit into all there are.
      causes |= kIntOverflow;
      count_missed(1);
      return Outcome::Done;
    }
  }

  u32 status = plus_sums(frame);
  if (match == Match::Own) status |= kPlusOwn;
  if (match == Match::Broadcast) status |= kPlusBroadcast;
  if (match == Match::Multicast) status |= kPlusMulticast;
  placed = 0;
  for (unsigned n = 0; n < count; ++n) {
    const Piece& piece = pieces[n];
    const Frame part = stored.all().subspan(placed, piece.length);
    if (dma().write(piece.address, part) != MemResult::Ok) {
      log_guest("rtl8139", "no buffer at {:#x}", piece.address);
      causes |= kIntSystemError;
    }
    placed += piece.length;
    u32 word = (piece.command & kEndOfRing) | static_cast<u32>(placed);
    if (n == 0) word |= kFirst;
    if (n + 1 == count) word |= kLast | status;
    const u64 both = u64{tag} << 32 | word;
    if (dma().write_value(piece.descriptor, both) != MemResult::Ok)
      log_guest("rtl8139", "no descriptor at {:#x}", piece.descriptor);
  }
  next_got_ = index;
  count_received(match);
  causes |= kIntReceived;
  rtl8139_received(*this, frame.size());
  return Outcome::Done;
}

RxFilterState Rtl8139::shown_filter() const {
  using Kind = RxFilterState::Kind;
  RxFilterState state;
  state.promiscuous = (rcr_ & kAllPhysical) != 0;
  state.broadcast = (rcr_ & kAcceptBroadcast) != 0;
  const bool all = std::ranges::all_of(mar_, [](u8 b) { return b == 0xff; });
  state.multicast = (rcr_ & kAcceptMulticast) == 0 ? Kind::None : all ? Kind::All : Kind::Normal;
  state.unicast = state.promiscuous ? Kind::All : Kind::Normal;
  state.vlan = Kind::All;
  std::ranges::copy(idr_, state.main.bytes.begin());
  return state;
}

}  // namespace rhea::hw
