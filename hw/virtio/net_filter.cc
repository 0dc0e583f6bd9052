// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/net_filter.h"

#include "hw/net/frame_sums.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr std::size_t kTypeAt = 12, kTagAt = 14;
constexpr u16 kVlanType = 0x8100, kVlanMask = 0xfff;

bool is_to(Frame frame, std::span<const u8, NetFilter::kAddressBytes> address) {
  return std::ranges::equal(frame.first(NetFilter::kAddressBytes), address);
}

}  // namespace

void NetFilter::Address::describe(StateFields<Address>& s) { s.state("bytes", &Address::bytes); }

void NetFilter::describe(StateFields<NetFilter>& s) {
  s.state("modes", &NetFilter::modes_);
  s.state("unicast", &NetFilter::unicast_).range(0, kMostAddresses);
  s.state("multicast", &NetFilter::multicast_).range(0, kMostAddresses);
  s.state("unicast-overflow", &NetFilter::unicast_overflow_);
  s.state("multicast-overflow", &NetFilter::multicast_overflow_);
  s.state("vlans", &NetFilter::vlans_);
}

void NetFilter::reset() {
  *this = {};
  set(Mode::Promiscuous, true);
}

void NetFilter::set_addresses(std::vector<MacAddress> unicast, std::vector<MacAddress> multicast,
                              bool unicast_overflow, bool multicast_overflow) {
  const auto put = [](const std::vector<MacAddress>& from, std::vector<Address>& to) {
    to.clear();
    for (const MacAddress& mac : from) to.push_back({.bytes = mac.bytes});
  };
  put(unicast, unicast_);
  put(multicast, multicast_);
  unicast_overflow_ = unicast_overflow;
  multicast_overflow_ = multicast_overflow;
}

void NetFilter::set_vlan(u16 number, bool on) {
  u8& byte = vlans_[(number & kVlanMask) / 8U];
  const auto bit = static_cast<u8>(1U << (number % 8));
  byte = static_cast<u8>(on ? byte | bit : byte & ~bit);
}

bool NetFilter::has(const std::vector<Address>& table, Frame frame) {
  return std::ranges::any_of(table, [&](const Address& one) { return is_to(frame, one.bytes); });
}

bool NetFilter::passes_multicast(Frame frame) const {
  if (is_to(frame, kBroadcastMac.bytes)) return !is(Mode::NoBroadcast);
  if (is(Mode::NoMulticast)) return false;
  return is(Mode::AllMulticast) || multicast_overflow_ || has(multicast_, frame);
}

bool NetFilter::passes_unicast(Frame frame, const MacAddress& own) const {
  if (is(Mode::NoUnicast)) return false;
  return is(Mode::AllUnicast) || unicast_overflow_ || is_to(frame, own.bytes) ||
         has(unicast_, frame);
}

bool NetFilter::passes(Frame frame, const MacAddress& own, bool vlans) const {
  if (frame.size() < kTagAt) return false;
  if (is(Mode::Promiscuous)) return true;
  if (vlans && frame.size() >= kTagAt + 2 && be16(frame, kTypeAt) == kVlanType) {
    const u16 number = be16(frame, kTagAt) & kVlanMask;
    if ((vlans_[number / 8U] >> (number % 8) & 1) == 0) return false;
  }
  return (frame[0] & 1) != 0 ? passes_multicast(frame) : passes_unicast(frame, own);
}

RxFilterState NetFilter::shown(const MacAddress& own, bool vlans) const {
  using Kind = RxFilterState::Kind;
  const auto kind = [this](Mode none, Mode all) {
    return is(none) ? Kind::None : is(all) ? Kind::All : Kind::Normal;
  };
  RxFilterState state{.promiscuous = is(Mode::Promiscuous),
                      .broadcast = !is(Mode::NoBroadcast),
                      .multicast = kind(Mode::NoMulticast, Mode::AllMulticast),
                      .unicast = kind(Mode::NoUnicast, Mode::AllUnicast),
                      .vlan = vlans ? Kind::Normal : Kind::All,
                      .multicast_overflow = multicast_overflow_,
                      .unicast_overflow = unicast_overflow_,
                      .main = own,
                      .vlans = {},
                      .unicast_table = {},
                      .multicast_table = {}};
  for (u16 n = 0; n < kVlans; ++n)
    if ((vlans_[n / 8U] >> (n % 8) & 1) != 0) state.vlans.push_back(n);
  for (const Address& one : unicast_) state.unicast_table.push_back({one.bytes});
  for (const Address& one : multicast_) state.multicast_table.push_back({one.bytes});
  return state;
}

}  // namespace rhea::hw
