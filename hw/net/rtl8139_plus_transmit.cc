// SPDX-License-Identifier: GPL-2.0-or-later
// How the RTL8139C+ sends from its rings: frames of several descriptors, checksums, segments, tags.
#include "hw/net/frame_sums.h"
#include "hw/net/rtl8139_turn.h"
#include "hw/net/segments.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <optional>

namespace rhea::hw {

using namespace rtl8139;

namespace {

constexpr u8 kTcp = 6, kUdp = 17;

/// Where an IPv4 packet's parts are.
struct Ipv4Parts {
  std::size_t ip, l4, end;
  u8 protocol;
};

std::optional<Ipv4Parts> find_ipv4(std::span<const u8> frame) {
  constexpr std::size_t kTypeAt = 12, kTag = 4, kShortestHeader = 20;
  constexpr u16 kIpv4 = 0x0800;
  std::size_t ip = kTypeAt + 2;
  if (frame.size() >= ip + kTag && be16(frame, kTypeAt) == kVlanType) ip += kTag;
  if (frame.size() < ip + kShortestHeader || be16(frame, ip - 2) != kIpv4) return {};
  const std::size_t header = (frame[ip] & 0xfU) * 4;
  const std::size_t total = be16(frame, ip + 2);
  if (frame[ip] >> 4 != 4 || header < kShortestHeader || ip + header > frame.size()) return {};
  // Of a packet that is longer than it says, the rest is padding.
  std::size_t end = frame.size();
  if (total >= header && ip + total < end) end = ip + total;
  return Ipv4Parts{.ip = ip, .l4 = ip + header, .end = end, .protocol = frame[ip + 9]};
}

void sum_ip(std::span<u8> frame, const Ipv4Parts& parts) {
  put_be16(frame, parts.ip + 10, 0);
  insert_sum(frame, parts.ip, parts.ip + 10, parts.l4 - 1, false);
}

void sum_l4(std::span<u8> frame, const Ipv4Parts& parts) {
  const std::size_t at = parts.l4 + (parts.protocol == kTcp ? 16 : 6);
  if (at + 2 > parts.end) return;
  const auto length = static_cast<u32>(parts.end - parts.l4);
  put_be16(frame, at, pseudo_header_sum(frame.subspan(parts.ip), false, parts.protocol, length));
  insert_sum(frame, parts.l4, at, parts.end - 1, parts.protocol == kUdp);
}

/// Bytes before the payload of a TCP segment; 0: it is none.
std::size_t tcp_header_end(std::span<const u8> frame, const Ipv4Parts& parts) {
  constexpr std::size_t kShortestHeader = 20;
  if (parts.protocol != kTcp || parts.l4 + kShortestHeader > frame.size()) return 0;
  const std::size_t header = (frame[parts.l4 + 12] >> 4U) * 4;
  const std::size_t end = parts.l4 + header;
  return header < kShortestHeader || end > frame.size() ? 0 : end;
}

u32 segment_bytes(u32 command) { return command >> 16 & 0x7ff; }

}  // namespace

struct Rtl8139::PlusDescriptor {
  u32 command{}, tag{}, low{}, high{};
};

// The next descriptor of a ring.
void Rtl8139::send_plus(SendTurn& turn, bool high) {
  u8& index = high ? next_high_ : next_normal_;
  const unsigned first = high ? 2 : 0;
  const u64 address =
      (u64{tsad_[first + 1]} << 32 | (tsad_[first] & ~u32{0xff})) + index * u64{kDescriptorBytes};
  PlusDescriptor descriptor;
  const std::span bytes(reinterpret_cast<u8*>(&descriptor), sizeof(descriptor));
  static_assert(sizeof(descriptor) == kDescriptorBytes);
  --turn.descriptors;
  const bool readable = dma().read(address, bytes) == MemResult::Ok;
  if (!readable || (descriptor.command & kOwn) == 0) {
    if (!readable) log_guest("rtl8139", "no descriptor at {:#x}", address);
    (high ? polled_high_ : polled_normal_) = false;
    turn.causes |= readable ? kIntNothingToSend : kIntSystemError;
    return;
  }
  if (!gathering_ || (descriptor.command & kFirst) != 0) {
    gathering_ = true;
    from_high_ = high;
    too_long_ = false;
    gathered_.clear();
    plus_command_ = descriptor.command;
    plus_tag_ = descriptor.tag;
  }
  gather(turn, u64{descriptor.high} << 32 | descriptor.low, descriptor.command & 0xffff);
  if (dma().write_value(address, descriptor.command & ~(kOwn | kSendFailures)) != MemResult::Ok)
    log_guest("rtl8139", "no descriptor at {:#x}", address);
  const bool ends = (descriptor.command & kEndOfRing) != 0 || index + 1U == kMostDescriptors;
  index = ends ? u8{0} : static_cast<u8>(index + 1);
  if ((descriptor.command & kLast) != 0) finish_gathered(turn);
}

void Rtl8139::gather(SendTurn& turn, u64 address, u32 length) {
  if (length > kMostGathered - gathered_.size()) {
    too_long_ = true;
    return;
  }
  const std::size_t before = gathered_.size();
  gathered_.resize(before + length);
  const std::span<u8> into = std::span(gathered_).subspan(before);
  turn.bytes -= std::min(turn.bytes, length);
  if (dma().read(address, into) == MemResult::Ok) return;
  log_guest("rtl8139", "no frame of {} bytes at {:#x}", length, address);
  // What cannot be read is all ones.
  std::ranges::fill(into, u8{0xff});
  turn.causes |= kIntSystemError;
}

// All of a frame is here.
void Rtl8139::finish_gathered(SendTurn& turn) {
  gathering_ = false;
  if (gathered_.empty() && !too_long_) return;
  if (!too_long_ && (plus_command_ & kLargeSend) != 0 && segment_bytes(plus_command_) != 0) {
    cutting_ = true;
    cut_ = 0;
    cuts_ = 0;
    return;
  }
  if (too_long_ || gathered_.size() > FrameBatch::kLongest) {
    log_guest("rtl8139", "a frame of more than {} bytes is not sent", FrameBatch::kLongest);
    ++tally_.send_errors;
    turn.causes |= kIntSendError;
    return;
  }
  const std::span<u8> frame = batch_.extend(gathered_.size());
  std::ranges::copy(gathered_, frame.begin());
  const auto parts = find_ipv4(frame);
  if (parts && (plus_command_ & kLargeSend) == 0) {
    if ((plus_command_ & kSendIp) != 0) sum_ip(frame, *parts);
    const u32 wanted = parts->protocol == kTcp ? kSendTcp : parts->protocol == kUdp ? kSendUdp : 0;
    if ((plus_command_ & wanted) != 0) sum_l4(frame, *parts);
  }
  add_plus_frame(turn);
}

// Padded, and tagged.
void Rtl8139::add_plus_frame(SendTurn& turn) {
  const std::size_t length = batch_.making().size();
  if (length < kShortest) std::ranges::fill(batch_.extend(kShortest - length), u8{0});
  std::optional<u32> tag;
  // The tag's bytes stand as on the wire.
  if ((plus_tag_ & kSendTag) != 0)
    tag = u32{kVlanType} << 16 | (plus_tag_ & 0xff) << 8 | (plus_tag_ >> 8 & 0xff);
  add_frame(turn, tag);
}

// One more of the segments of what was gathered.
void Rtl8139::cut_segment(SendTurn& turn) {
  const auto parts = find_ipv4(gathered_);
  const std::size_t header = parts ? tcp_header_end(gathered_, *parts) : 0;
  const std::size_t payload = gathered_.size() - header;
  const std::size_t segment = segment_bytes(plus_command_);
  if (header == 0 || segment == 0 || (cut_ != 0 && cut_ >= payload)) {
    log_guest("rtl8139", "a large send of {} bytes is no TCP over IPv4", gathered_.size());
    cutting_ = false;
    ++tally_.send_errors;
    turn.causes |= kIntSendError;
    // Whoever sends nothing but such frames has an end, too.
    --turn.descriptors;
    return;
  }
  const std::size_t some = std::min(segment, payload - cut_);
  const std::span<u8> frame = batch_.extend(header + some);
  std::copy_n(gathered_.begin(), header, frame.begin());
  std::copy_n(gathered_.begin() + static_cast<std::ptrdiff_t>(header + cut_), some,
              frame.begin() + static_cast<std::ptrdiff_t>(header));
  const bool last = cut_ + some == payload;
  adapt_headers(frame, {.ip = parts->ip, .l4 = parts->l4, .ipv4 = true, .tcp = true},
                {.payload = cut_, .number = cuts_, .last = last});
  const Ipv4Parts made{.ip = parts->ip, .l4 = parts->l4, .end = frame.size(), .protocol = kTcp};
  sum_ip(frame, made);
  sum_l4(frame, made);
  cut_ += static_cast<u32>(some);
  ++cuts_;
  if (last) cutting_ = false;
  add_plus_frame(turn);
}

}  // namespace rhea::hw
