// SPDX-License-Identifier: GPL-2.0-or-later
// How a virtio network card sends (OASIS Virtual I/O Device 1.2, 5.1.6.2): checksums and
// segmentation are done here.
#include "hw/net/flow_hash.h"
#include "hw/net/frame_sums.h"
#include "hw/net/segments.h"
#include "hw/virtio/virtio_net.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <array>

namespace rhea::hw {

using namespace virtio_net;

namespace {

constexpr std::size_t kEthernetHeader = 14, kTagBytes = 4, kIpv4Header = 20, kIpv6Header = 40,
                      kTcpHeader = 20, kUdpHeader = 8, kFragmentHeader = 8;
constexpr std::size_t kTcpSumAt = 16, kUdpSumAt = 6, kIpv4SumAt = 10, kTcpFlagsAt = 13;
constexpr u16 kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8;
constexpr u8 kTcpProtocol = 6, kUdpProtocol = 17, kFragmentProtocol = 44;
constexpr u8 kWindowReduced = 0x80;  // CWR
constexpr u16 kMoreFragments = 0x2000, kFragmentUnit = 8;
constexpr std::size_t kLongestPacket = 65535;

NetHeader parse(std::span<const u8> bytes) {
  const auto le16 = [&](std::size_t at) {
    return static_cast<u16>(bytes[at] | bytes[at + 1] << 8);
  };
  return {.flags = bytes[0],
          .gso = bytes[1],
          .header_bytes = le16(2),
          .segment = le16(4),
          .sum_start = le16(6),
          .sum_offset = le16(8)};
}

/// Of an IPv4 header whose parts have changed.
void renew_ip_sum(std::span<u8> frame, std::size_t ip, std::size_t l4) {
  put_be16(frame, ip + kIpv4SumAt, 0);
  insert_sum(frame, ip, ip + kIpv4SumAt, l4 - 1, false);
}

}  // namespace

bool VirtioNet::flush() {
  if (batch_.count() != 0) batch_.taken(port_.send(batch_.frames()));
  return batch_.count() == 0;
}

// As often as the driver notifies, and when the back end has room again.
void VirtioNet::transmit() {
  if (!core_->live() || !flush()) return;
  const u16 first = next_pair_;
  for (u16 n = 0; n < used_pairs_; ++n) {
    next_pair_ = static_cast<u16>((first + n) % used_pairs_);
    // The back end is full: it goes on where it was.
    if (!transmit_from(send_queue(next_pair_))) return;
    if (!core_->turn_is_over()) continue;
    next_pair_ = static_cast<u16>((next_pair_ + 1) % used_pairs_);
    return core_->serve_again(send_queue(next_pair_));
  }
}

// What no driver has notified of is not looked at.
void VirtioNet::go_on_sending() {
  core_->begin_turn();
  if (batch_.count() != 0 || cutting_.active) transmit();
}

/// False when the back end has no room.
bool VirtioNet::transmit_from(u16 number) {
  VirtQueue& queue = core_->queue(number);
  if (!queue.enabled() || (cutting_.active && cutting_.queue != number)) return true;
  auto budget = static_cast<unsigned>(burst_);
  bool room = true, more = true;
  unsigned given = 0;
  while (room && more && budget != 0 && !core_->turn_is_over()) {
    if (!batch_.has_room()) {
      room = flush();
    } else if (cutting_.active) {
      cut_one();
      --budget;
    } else if (queue.pop(buffer_) == Popped::One) {
      send_one(number);
      --budget;
      ++given;
    } else {
      more = false;
    }
  }
  room = flush();
  if (given != 0 || budget != static_cast<unsigned>(burst_)) core_->tell_driver(number);
  if (room && more) core_->serve_again(number);
  return room;
}

void VirtioNet::give_back(u16 number, const VirtBuffer& buffer) {
  core_->queue(number).push(buffer, 0);
}

void VirtioNet::send_one(u16 number) {
  std::array<u8, kLegacyHeader> bytes{};
  const std::size_t before = header_bytes();
  const u64 length = buffer_.out_bytes - std::min<u64>(before, buffer_.out_bytes);
  if (length < kEthernetHeader || length > kLongestFrame ||
      buffer_.out.from_guest(core_->memory(), 0, bytes) != MemResult::Ok) {
    log_guest("virtio-net", "a frame of {} bytes is not sent", length);
    return give_back(number, buffer_);
  }
  const NetHeader header = parse(bytes);
  if ((header.gso & ~kGsoEcn) != kGsoNone) {
    if (!begin_cut(number, header, static_cast<u32>(length))) {
      log_guest("virtio-net", "a frame of {} bytes cannot be cut into {}", length, header.segment);
      cutting_ = {};
      give_back(number, buffer_);
    }
    return;
  }
  send_plain(number, header, static_cast<u32>(length));
  give_back(number, buffer_);
}

void VirtioNet::send_plain(u16 number, const NetHeader& header, u32 bytes) {
  const std::span<u8> frame = batch_.extend(bytes);
  if (frame.empty() ||
      buffer_.out.from_guest(core_->memory(), header_bytes(), frame) != MemResult::Ok) {
    log_guest("virtio-net", "a frame of {} bytes is not sent", bytes);
    return batch_.abandon();
  }
  const std::size_t at = std::size_t{header.sum_start} + header.sum_offset;
  if ((header.flags & kNeedsSum) != 0 &&
      !insert_sum(frame, header.sum_start, at, 0, header.sum_offset == kUdpSumAt))
    log_guest("virtio-net", "checksum from {} at {} of a frame of {} bytes", header.sum_start, at,
              bytes);
  note_flow(batch_.finish({}), number);
}

// ---- Large frames

/// Finds out how, and keeps the buffer. False when it cannot be done.
bool VirtioNet::begin_cut(u16 number, const NetHeader& header, u32 bytes) {
  const u8 kind = header.gso & static_cast<u8>(~kGsoEcn);
  if ((kind != kGsoTcp4 && kind != kGsoTcp6 && kind != kGsoUdp) || header.segment == 0)
    return false;
  NetCutting& cut = cutting_;
  cut = {};
  cut.queue = number;
  cut.tcp = kind != kGsoUdp;
  cut.segment = header.segment;
  cut.header_bytes = static_cast<u16>(std::min<u32>(bytes, NetCutting::kMostHeader));
  if (buffer_.out.from_guest(core_->memory(), header_bytes(),
                             std::span(cut.header).first(cut.header_bytes)) != MemResult::Ok ||
      !find_headers(bytes) || (kind == kGsoTcp4 && !cut.ipv4) || (kind == kGsoTcp6 && cut.ipv4))
    return false;
  const bool sums = (header.flags & kNeedsSum) != 0;
  // What no receiver could put together again is not cut: with its headers it is 64 KiB at most.
  const std::size_t whole = cut.l4 - cut.ip + std::size_t{cut.payload};
  if (!cut.tcp && whole - (cut.ipv4 ? 0 : kIpv6Header) > kLongestPacket) return false;
  if (!cut.tcp && ((sums && !sum_datagram()) || !begin_fragments())) return false;
  if (cut.header_bytes + std::size_t{cut.segment} > FrameBatch::kLongest) return false;
  note_flow(std::span(cut.header).first(cut.header_bytes), number);
  cut.buffer = buffer_;
  cut.active = true;
  return true;
}

bool NetCutting::sound(std::size_t before) const {
  const std::size_t ip_bytes = ipv4 ? kIpv4Header : kIpv6Header;
  const bool has_ip = ip >= kEthernetHeader && l4 >= ip + ip_bytes && (ipv4 || l4 == ip + ip_bytes);
  const bool has_l4 = tcp ? header_bytes >= l4 + kTcpHeader && behind == header_bytes
                          : header_bytes == l4 + (ipv4 ? 0 : kFragmentHeader) && behind == l4 &&
                                segment % kFragmentUnit == 0 && payload >= kUdpHeader &&
                                payload <= kLongestPacket;
  const bool has_rest = segment != 0 && done % segment == 0 && (done < payload || done == 0) &&
                        made == static_cast<u16>(done / segment);
  return has_ip && has_l4 && has_rest &&
         header_bytes + std::size_t{segment} <= FrameBatch::kLongest &&
         std::size_t{behind} + payload <= kLongestFrame &&
         before + behind + payload <= buffer.out_bytes;
}

/// IP and what is in it, behind VLAN tags; IPv6 without extension headers.
bool VirtioNet::find_headers(u32 bytes) {
  NetCutting& cut = cutting_;
  const std::span<const u8> header = std::span(cut.header).first(cut.header_bytes);
  std::size_t ip = kEthernetHeader;
  const auto type = [&] { return ip <= header.size() ? be16(header, ip - 2) : u16{0}; };
  while (type() == kVlan || type() == kServiceVlan) ip += kTagBytes;
  cut.ipv4 = type() == kIpv4;
  if ((!cut.ipv4 && type() != kIpv6) || ip + kIpv6Header > header.size()) return false;
  const std::size_t l4 = ip + (cut.ipv4 ? (header[ip] & 0xf) * std::size_t{4} : kIpv6Header);
  const u8 protocol = header[ip + (cut.ipv4 ? 9 : 6)];
  if ((cut.ipv4 && l4 < ip + kIpv4Header) || header[ip] >> 4 != (cut.ipv4 ? 4 : 6) ||
      protocol != (cut.tcp ? kTcpProtocol : kUdpProtocol) ||
      l4 + (cut.tcp ? kTcpHeader : kUdpHeader) > header.size())
    return false;
  std::size_t end = l4;
  if (cut.tcp) end += (header[l4 + 12] >> 4) * std::size_t{4};
  if ((cut.tcp && end < l4 + kTcpHeader) || end > header.size()) return false;
  cut.ip = static_cast<u16>(ip);
  cut.l4 = static_cast<u16>(l4);
  cut.header_bytes = cut.behind = static_cast<u16>(end);
  cut.payload = bytes - static_cast<u32>(end);
  return true;
}

/// Before it is cut: the checksum is that of the whole.
bool VirtioNet::sum_datagram() {
  constexpr std::size_t kPiece = 4 * KiB;
  NetCutting& cut = cutting_;
  std::array<u8, kPiece> bytes{};
  const std::span<const u8> ip = std::span(cut.header).subspan(cut.ip);
  u64 sum = pseudo_header_sum(ip, !cut.ipv4, kUdpProtocol, cut.payload);
  for (u32 at = 0; at < cut.payload; at += kPiece) {
    const std::span<u8> piece = std::span(bytes).first(std::min<u32>(cut.payload - at, kPiece));
    if (buffer_.out.from_guest(core_->memory(), header_bytes() + cut.behind + at, piece) !=
        MemResult::Ok)
      return false;
    // The sum of the pseudo header stands where the checksum will.
    if (at == 0) put_be16(piece, kUdpSumAt, 0);
    sum += internet_sum(piece);
  }
  const u16 whole = static_cast<u16>(~folded(sum));
  cut.sum = whole == 0 ? u16{0xffff} : whole;
  return true;
}

/// IPv6 has a header of its own for fragments, behind its first one.
bool VirtioNet::begin_fragments() {
  NetCutting& cut = cutting_;
  cut.segment = static_cast<u16>(cut.segment / kFragmentUnit * kFragmentUnit);
  if (cut.segment == 0) return false;
  if (cut.ipv4) return true;
  if (cut.header_bytes + kFragmentHeader > cut.header.size()) return false;
  const std::span<u8> header(cut.header);
  header[cut.ip + 6U] = kFragmentProtocol;
  header[cut.l4] = kUdpProtocol;
  header[cut.l4 + 1U] = 0;
  put_be32(header, cut.l4 + 4U, ++fragment_id_);
  cut.header_bytes = static_cast<u16>(cut.header_bytes + kFragmentHeader);
  return true;
}

/// The next frame of it. Whatever has become of the guest's memory, it comes to an end.
void VirtioNet::cut_one() {
  NetCutting& cut = cutting_;
  const u32 payload = std::min<u32>(cut.segment, cut.payload - cut.done);
  const bool last = cut.done + payload == cut.payload;
  const std::span<u8> frame = batch_.extend(std::size_t{cut.header_bytes} + payload);
  std::copy_n(cut.header.begin(), cut.header_bytes, frame.begin());
  const u64 from = header_bytes() + cut.behind + u64{cut.done};
  // It is looked for from the start.
  core_->add_work(cut.buffer.out.segments().size());
  if (cut.buffer.out.from_guest(core_->memory(), from, frame.subspan(cut.header_bytes)) !=
      MemResult::Ok) {
    batch_.abandon();
    return end_cut();
  }
  if (cut.tcp)
    finish_segment(frame, last);
  else
    finish_fragment(frame, last);
  batch_.finish({});
  cut.done += payload;
  ++cut.made;
  if (last) end_cut();
}

void VirtioNet::finish_segment(std::span<u8> frame, bool last) {
  const NetCutting& cut = cutting_;
  adapt_headers(frame, {.ip = cut.ip, .l4 = cut.l4, .ipv4 = cut.ipv4, .tcp = true},
                {.payload = cut.done, .number = cut.made, .last = last});
  // The first alone tells of a smaller window (RFC 3168).
  if (cut.made != 0) frame[cut.l4 + kTcpFlagsAt] &= static_cast<u8>(~kWindowReduced);
  if (cut.ipv4) renew_ip_sum(frame, cut.ip, cut.l4);
  const auto length = static_cast<u32>(frame.size() - cut.l4);
  put_be16(frame, cut.l4 + kTcpSumAt,
           pseudo_header_sum(frame.subspan(cut.ip), !cut.ipv4, kTcpProtocol, length));
  insert_sum(frame, cut.l4, cut.l4 + kTcpSumAt, 0, false);
}

void VirtioNet::finish_fragment(std::span<u8> frame, bool last) {
  const NetCutting& cut = cutting_;
  if (cut.done == 0 && cut.sum != 0) put_be16(frame, cut.header_bytes + kUdpSumAt, cut.sum);
  const std::size_t length = frame.size() - cut.ip;
  if (cut.ipv4) {
    put_be16(frame, cut.ip + 2U, static_cast<u16>(length));
    put_be16(frame, cut.ip + 6U,
             static_cast<u16>(cut.done / kFragmentUnit | (last ? 0 : kMoreFragments)));
    return renew_ip_sum(frame, cut.ip, cut.l4);
  }
  put_be16(frame, cut.ip + 4U, static_cast<u16>(length - kIpv6Header));
  put_be16(frame, cut.l4 + 2U, static_cast<u16>(cut.done | (last ? 0 : 1)));
}

void VirtioNet::end_cut() {
  give_back(cutting_.queue, cutting_.buffer);
  cutting_ = {};
}

void VirtioNet::note_flow(Frame frame, u16 number) {
  if (used_pairs_ > 1) flows_[flow_hash(frame)] = static_cast<u16>(number / 2);
}

}  // namespace rhea::hw
