// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/e1000_phy.h"

#include <utility>

namespace rhea::hw {
namespace {

enum Reg : u8 {
  kControl = 0,
  kStatus = 1,
  kIdHigh = 2,
  kIdLow = 3,
  kAdvertise = 4,
  kPartner = 5,
  kExpansion = 6,
  kNextPage = 7,
  kGigabitControl = 9,
  kGigabitStatus = 10,
  kExtendedStatus = 15,
  kSpecificControl = 16,
  kSpecificStatus = 17,
  kInterruptEnable = 18,
  kInterruptStatus = 19,
  kExtendedControl = 20,
  kPageSelect = 29,
  kPageData = 30,
};

constexpr u16 kReset = 0x8000, kLoopback = 0x4000, kNegotiate = 0x1000, kPowerDown = 0x0800,
              kRestart = 0x0200;
constexpr u16 kNegotiated = 0x0020, kLink = 0x0004;
// 10 and 100 Mb/s in both duplexes, extended status, no preamble needed, negotiation, extended
// registers.
constexpr u16 kAbilities = 0x7949;
constexpr u16 kIntLink = 0x0400, kIntNegotiated = 0x0800;
// All of 10 and 100 Mb/s, acknowledged; no pauses.
constexpr u16 kPartnerAbilities = 0x41e1;
// Both receivers fine, the partner does 1000 Mb/s in both duplexes, we are master.
constexpr u16 kGigabitUp = 0x7c00;
// 1000 Mb/s, full duplex, resolved, link.
constexpr u16 kSpecificUp = 0xac00;
constexpr u16 kMarvell = 0x0141;

}  // namespace

void E1000Phy::describe(StateFields<E1000Phy>& s) {
  s.state("registers", &E1000Phy::regs_);
  s.state("cable", &E1000Phy::cable_);
  s.state("negotiating", &E1000Phy::negotiating_);
  s.state("was-up", &E1000Phy::was_up_);
  s.state("was-down", &E1000Phy::was_down_);
}

void E1000Phy::set_defaults() {
  const u16 id = regs_[kIdLow];
  regs_.fill(0);
  regs_[kControl] = 0x1140;
  regs_[kIdHigh] = kMarvell;
  regs_[kIdLow] = id;
  regs_[kAdvertise] = 0x0de1;
  regs_[kNextPage] = 0x2001;
  regs_[kGigabitControl] = 0x0300;
  regs_[kExtendedStatus] = 0x3000;
  regs_[kSpecificControl] = 0x0068;
  regs_[kExtendedControl] = 0x0d60;
}

void E1000Phy::reset(u16 id_low, bool cable) {
  regs_[kIdLow] = id_low;
  set_defaults();
  cable_ = cable;
  negotiating_ = false;
  was_up_ = link_up();
  was_down_ = !was_up_;
}

bool E1000Phy::link_up() const {
  return cable_ && !negotiating_ && (regs_[kControl] & kPowerDown) == 0;
}

bool E1000Phy::loops_back() const { return (regs_[kControl] & kLoopback) != 0; }

void E1000Phy::link_may_have_changed() {
  const bool up = link_up();
  if (!up) was_down_ = true;
  if (std::exchange(was_up_, up) != up) regs_[kInterruptStatus] |= kIntLink;
}

void E1000Phy::begin_negotiation() {
  negotiating_ = cable_ && (regs_[kControl] & (kNegotiate | kPowerDown)) == kNegotiate;
  link_may_have_changed();
}

void E1000Phy::finish_negotiation() {
  if (!std::exchange(negotiating_, false)) return;
  regs_[kInterruptStatus] |= kIntNegotiated;
  link_may_have_changed();
}

void E1000Phy::set_cable(bool cable) {
  if (std::exchange(cable_, cable) != cable) begin_negotiation();
}

void E1000Phy::pull_reset() {
  set_defaults();
  begin_negotiation();
}

u16 E1000Phy::read(unsigned reg) {
  const bool up = link_up();
  const bool negotiated = up && (regs_[kControl] & kNegotiate) != 0;
  switch (reg) {
    case kStatus: {
      // A link that was down says so once more.
      const bool steady = up && !std::exchange(was_down_, !up);
      return static_cast<u16>(kAbilities | (negotiated ? kNegotiated : 0) | (steady ? kLink : 0));
    }
    case kPartner: return negotiated ? kPartnerAbilities : u16{0};
    case kExpansion: return negotiated ? u16{0x000d} : u16{0x0004};
    case kGigabitStatus: return up ? kGigabitUp : u16{0};
    case kSpecificStatus: return up ? kSpecificUp : u16{0};
    case kInterruptStatus: return std::exchange(regs_[kInterruptStatus], u16{0});
    default: return reg < kRegisters ? regs_[reg] : u16{0};
  }
}

void E1000Phy::write(unsigned reg, u16 value) {
  switch (reg) {
    case kControl: {
      if ((value & kReset) != 0) {
        pull_reset();
        return;
      }
      const u16 changed = regs_[kControl] ^ value;
      regs_[kControl] = value & static_cast<u16>(~kRestart);
      const bool restart = (value & kRestart) != 0 && (value & kNegotiate) != 0;
      if (restart || (changed & (kNegotiate | kPowerDown)) != 0) begin_negotiation();
      return;
    }
    case kAdvertise:
    case kNextPage:
    case kGigabitControl:
    case kSpecificControl:
    case kInterruptEnable:
    case kExtendedControl:
    case kPageSelect:
    case kPageData: regs_[reg] = value; return;
    default: return;
  }
}

}  // namespace rhea::hw
