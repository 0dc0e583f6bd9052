// SPDX-License-Identifier: GPL-2.0-or-later
// Which frames Intel's gigabit cards take: addresses, VLANs, lengths (chapter 3.2.1 and 13.5 of the
// 8254x manual).
#include "hw/net/e1000.h"
#include "hw/net/frame_sums.h"

#include <algorithm>

namespace rhea::hw {

using namespace e1000;

namespace {

constexpr std::size_t kHeader = 14, kTaggedHeader = 18, kTypeAt = 12, kTagAt = 14;
// With their check sequence: what fits without LPE, and at all.
constexpr std::size_t kUsualLongest = 1522, kLongestOfAll = 16 * KiB;

}  // namespace

bool E1000::is_tagged(Frame frame) const {
  return frame.size() >= kTaggedHeader && be16(frame, kTypeAt) == (vet_ & 0xffff);
}

bool E1000::too_long(Frame frame) const {
  const std::size_t length = frame.size() + kCheckBytes;
  if (length > kLongestOfAll) return true;
  return length > kUsualLongest && (rctl_ & (kLongFrames | kStoreBad)) == 0;
}

bool E1000::passes_vlan(Frame frame) const {
  if ((rctl_ & kVlanFilter) == 0 || !is_tagged(frame)) return true;
  const u16 tag = be16(frame, kTagAt);
  const bool cfi = (tag & 0x1000) != 0;
  if ((rctl_ & kCfiFilter) != 0 && cfi != ((rctl_ & kCfi) != 0)) return false;
  return (vfta_[tag >> 5 & 0x7f] >> (tag & 0x1f) & 1) != 0;
}

bool E1000::has_address(Frame frame) const {
  for (std::size_t n = 0; n < ral_.size(); ++n) {
    if ((rah_[n] & kAddressValid) == 0) continue;
    const Frame address = frame.subspan((rah_[n] & kAddressOfSource) != 0 ? 6 : 0, 6);
    const u32 low = address[0] | address[1] << 8 | address[2] << 16 | u32{address[3]} << 24;
    const u32 high = address[4] | u32{address[5]} << 8;
    if (low == ral_[n] && high == (rah_[n] & 0xffff)) return true;
  }
  return false;
}

// Twelve bits of the address, which ones RCTL.MO says, choose one of 4096.
bool E1000::in_table(Frame frame) const {
  constexpr std::array<u8, 4> kShifts = {4, 3, 2, 0};
  const unsigned upper = frame[5] << 8U | frame[4];
  const unsigned hash = upper >> kShifts[rctl_ >> 12 & 3] & 0xfff;
  return (mta_[hash >> 5] >> (hash & 0x1f) & 1) != 0;
}

E1000::Match E1000::matches(Frame frame) const {
  if (frame.size() < kHeader || !passes_vlan(frame)) return Match::No;
  if (has_address(frame)) return Match::Exactly;
  const bool broadcast = std::ranges::all_of(frame.first(6), [](u8 b) { return b == 0xff; });
  if (broadcast && (rctl_ & kAcceptBroadcast) != 0) return Match::Exactly;
  const bool group = (frame[0] & 1) != 0;
  if (group && in_table(frame)) return Match::Inexactly;
  return (rctl_ & (group ? kAllMulticast : kAllUnicast)) != 0 ? Match::Inexactly : Match::No;
}

}  // namespace rhea::hw
