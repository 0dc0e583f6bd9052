// SPDX-License-Identifier: GPL-2.0-or-later
// Commands of a virtio network card's driver (OASIS Virtual I/O Device 1.2, 5.1.6.5).
#include "hw/virtio/virtio_net.h"
#include "rhea/util/log.h"

#include <cstring>

namespace rhea::hw {

using namespace virtio_net;

namespace {

constexpr u64 kArgumentAt = 2;

}  // namespace

void VirtioNet::serve_control() {
  const u16 number = control_queue();
  VirtQueue& queue = core_->queue(number);
  unsigned done = 0;
  const auto goes_on = [&] { return done < queue.entries() && !core_->turn_is_over(); };
  while (goes_on() && queue.pop(buffer_) == Popped::One) {
    const std::array<u8, 1> ack{command()};
    // Of a command without room for an answer nobody can be told.
    if (!queue.write(buffer_, 0, ack)) return;
    queue.push(buffer_, 1);
    ++done;
  }
  if (done != 0) core_->tell_driver(number);
  if (!goes_on()) core_->serve_again(number);
}

template <class T>
bool VirtioNet::read_argument(T& value) {
  std::array<u8, sizeof(T)> bytes{};
  if (buffer_.out.from_guest(core_->memory(), kArgumentAt, bytes) != MemResult::Ok) return false;
  std::memcpy(&value, bytes.data(), bytes.size());
  return true;
}

u8 VirtioNet::command() {
  std::array<u8, kArgumentAt> what{};
  if (buffer_.in_bytes == 0 || buffer_.out.from_guest(core_->memory(), 0, what) != MemResult::Ok)
    return kAckError;
  switch (what[0]) {
    case kRxClass: return core_->accepts(kControlRx) ? set_mode(what[1]) : kAckError;
    case kMacClass: return set_address(what[1]);
    case kVlanClass: return core_->accepts(kControlVlan) ? set_vlan(what[1]) : kAckError;
    case kAnnounceClass:
      if (!core_->accepts(kAnnounce) || what[1] != 0 || !announcing_) return kAckError;
      announcing_ = false;
      fill_config();
      return kAckOk;
    case kPairsClass: return core_->accepts(kMultiQueue) && what[1] == 0 ? set_pairs() : kAckError;
    case kOffloadsClass:
      return core_->accepts(kGuestOffloads) && what[1] == 0 ? set_offloads() : kAckError;
    default:
      log_guest("virtio-net", "command {} of class {}, which there is not", what[1], what[0]);
      return kAckError;
  }
}

u8 VirtioNet::set_mode(u8 which) {
  u8 on = 0;
  const bool extra = which >= static_cast<u8>(NetFilter::Mode::AllUnicast);
  if (which >= NetFilter::kModes || (extra && !core_->accepts(kControlRxExtra)) ||
      !read_argument(on))
    return kAckError;
  filter_.set(static_cast<NetFilter::Mode>(which), on != 0);
  return kAckOk;
}

u8 VirtioNet::set_address(u8 which) {
  if (which == kMacTableSet) return core_->accepts(kControlRx) ? set_table() : kAckError;
  MacAddress address;
  if (which != kMacAddressSet || !core_->accepts(kControlMac) || !read_argument(address.bytes))
    return kAckError;
  mac_ = address;
  fill_config();
  return kAckOk;
}

/// A count and as many addresses; of more than `most` none are kept, and all pass.
bool VirtioNet::read_addresses(u64& at, std::vector<MacAddress>& table, bool& overflow,
                               std::size_t most) {
  u32 count = 0;
  std::array<u8, sizeof(count)> bytes{};
  if (buffer_.out.from_guest(core_->memory(), at, bytes) != MemResult::Ok) return false;
  std::memcpy(&count, bytes.data(), sizeof(count));
  at += sizeof(count);
  constexpr u64 kSize = NetFilter::kAddressBytes;
  if (at > buffer_.out_bytes || count > (buffer_.out_bytes - at) / kSize) return false;
  overflow = count > most;
  for (u32 n = 0; n < count && !overflow; ++n) {
    MacAddress address;
    if (buffer_.out.from_guest(core_->memory(), at + kSize * n, address.bytes) != MemResult::Ok)
      return false;
    table.push_back(address);
  }
  at += kSize * count;
  return true;
}

u8 VirtioNet::set_table() {
  std::vector<MacAddress> unicast, multicast;
  bool unicast_overflow = false, multicast_overflow = false;
  u64 at = kArgumentAt;
  if (!read_addresses(at, unicast, unicast_overflow, NetFilter::kMostAddresses) ||
      !read_addresses(at, multicast, multicast_overflow,
                      NetFilter::kMostAddresses - unicast.size()) ||
      at != buffer_.out_bytes)
    return kAckError;
  filter_.set_addresses(std::move(unicast), std::move(multicast), unicast_overflow,
                        multicast_overflow);
  return kAckOk;
}

u8 VirtioNet::set_vlan(u8 which) {
  constexpr u16 kVlans = 4096;
  u16 number = 0;
  if (which > kVlanDelete || !read_argument(number) || number >= kVlans) return kAckError;
  filter_.set_vlan(number, which == kVlanAdd);
  return kAckOk;
}

u8 VirtioNet::set_pairs() {
  u16 pairs = 0;
  if (!read_argument(pairs) || pairs == 0 || pairs > pairs_) return kAckError;
  used_pairs_ = pairs;
  // The rest of a frame of a pair that is used no more would keep all others waiting.
  if (const u16 cut = cutting_.queue; cutting_.active && cut >= 2 * used_pairs_) {
    end_cut();
    core_->tell_driver(cut);
  }
  if (starved_) port_.send_soon();
  return kAckOk;
}

u8 VirtioNet::set_offloads() {
  u64 wanted = 0;
  if (!read_argument(wanted) || (wanted & ~(core_->accepted() & kOffloads)) != 0) return kAckError;
  offloads_ = wanted;
  offloads_set_ = true;
  return kAckOk;
}

}  // namespace rhea::hw
