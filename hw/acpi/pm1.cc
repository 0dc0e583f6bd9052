// SPDX-License-Identifier: GPL-2.0-or-later
// ACPI's PM1 registers and the power management timer.
#include "hw/acpi/pm1.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u16 kBusMasterReload = 0x0002;

}  // namespace

void Pm1::reset(u64 now) {
  status_ = enable_ = control_ = 0;
  overflow_ = next_overflow(now);
}

void Pm1::keep_powered(const Pm1& before) {
  status_ |= before.status_ & kResumeWell;
  enable_ |= before.enable_ & kResumeWell;
  control_ |= before.control_ & kSleepType;
}

void Pm1::settle(u64 now) { overflow_ = std::min(overflow_, next_overflow(now)); }

void Pm1::clear_status(u16 bits, u64 now) {
  status_ = static_cast<u16>(status(now) & ~bits);
  if ((bits & kTimer) != 0) overflow_ = next_overflow(now);
}

std::optional<u8> Pm1::set_control(u16 value) {
  control_ = value & (kSciEnable | kBusMasterReload | kSleepType);
  if ((value & kSleepEnable) == 0) return std::nullopt;
  return static_cast<u8>((value & kSleepType) >> 10);
}

void Pm1::set_sci_enabled(bool on) {
  control_ = static_cast<u16>(on ? control_ | kSciEnable : control_ & ~kSciEnable);
}

std::optional<u64> Pm1::next_event() const {
  if ((enable_ & kTimer) == 0 || (status_ & kTimer) != 0) return std::nullopt;
  return overflow_;
}

}  // namespace rhea::hw
