// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's registers, in their page and as x2APIC MSRs.
#include "accel/apic/apic_registers.h"
#include "accel/apic/local_apic.h"
#include "rhea/softmmu/access.h"
#include "rhea/util/log.h"

#include <array>

namespace rhea::apic {

using namespace reg;

namespace {

constexpr u32 kVersionValue = 0x0105'0014;  // six LVT entries, EOI broadcast can be suppressed
constexpr u32 kTscDeadlineMsr = 0x6e0;
// What software can write of timer, thermal, performance, LINT0, LINT1, error.
constexpr std::array<u32, 6> kLvtMasks = {
    0x710ff & ~kPending, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

bool is_bank(unsigned offset, unsigned first) { return offset >= first && offset < first + 0x80; }

}  // namespace

u32 LocalApic::read(unsigned offset) {
  const std::lock_guard lock(mutex_);
  return read_locked(offset);
}

u64 LocalApic::read_page(unsigned offset, unsigned size) {
  if ((offset & 0xf) >= 4) return 0;
  return (read(offset) >> 8 * (offset & 3)) & all_ones(size);
}

void LocalApic::write_page(unsigned offset, u64 value, unsigned size) {
  if (size != 4 || (offset & 0xf) != 0)
    return log_guest("apic", "{}-byte write at {:#x}", size, offset);
  write(offset, static_cast<u32>(value));
}

u32 LocalApic::read_locked(unsigned offset) {
  const unsigned at = offset & 0xff0;
  if (is_bank(at, kIsr)) return isr_[(at - kIsr) / 16];
  if (is_bank(at, kTmr)) return tmr_[(at - kTmr) / 16];
  if (is_bank(at, kIrr)) return irr_[(at - kIrr) / 16];
  if (at >= kLvtTimer && at <= kLvtError) return lvt_[kTimer + (at - kLvtTimer) / 16];
  switch (at) {
    case kId: return x2apic() ? id_ : xapic_id_;
    case kVersion: return kVersionValue;
    case kTpr: return tpr_;
    case kApr:
    case kPpr: return processor_priority();
    case kLdr: return ldr_;
    case kDfr: return dfr_;
    case kSvr: return svr_;
    case kEsr: return esr_;
    case kIcrLow: return static_cast<u32>(icr_);
    case kIcrHigh: return static_cast<u32>(icr_ >> 32);
    case kInitialCount: return initial_count_;
    case kCurrentCount: return current_count();
    case kDivide: return divide_;
    default: pending_esr_ |= kIllegalRegister; return 0;
  }
}

void LocalApic::set_lvt(Lvt lvt, u32 value) {
  {
    const std::lock_guard lock(mutex_);
    value &= kLvtMasks[lvt];
    if (!software_enabled()) value |= kMasked;
    if (lvt != kTimer) lvt_[lvt] = value;
    if (lvt != kTimer && lvt != kLint0) return;
  }
  if (lvt == kTimer) return set_timer_entry(value);
  // The 8259s may have been waiting for LINT0.
  if (lint0_) processor_->interrupt();
}

void LocalApic::write(unsigned offset, u32 value) {
  const unsigned at = offset & 0xff0;
  if (at >= kLvtTimer && at <= kLvtError)
    return set_lvt(static_cast<Lvt>(kTimer + (at - kLvtTimer) / 16), value);
  switch (at) {
    case kEoi: return end_of_interrupt();
    case kIcrLow: return write_icr((icr_ & ~u64{0xffff'ffff}) | value);
    case kInitialCount: return start_timer(value);
    case kDivide: return set_divide(value & 0xb);
    default: break;
  }
  {
    const std::lock_guard lock(mutex_);
    switch (at) {
      case kId: xapic_id_ = value & 0xff00'0000; break;
      case kTpr: tpr_ = static_cast<u8>(value); break;
      case kLdr: ldr_ = value & 0xff00'0000; break;
      case kDfr: dfr_ = value | 0x0fff'ffff; break;
      case kSvr:
        svr_ = value & 0x11ff;
        if (!software_enabled())
          for (u32& lvt : lvt_) lvt |= kMasked;
        break;
      case kEsr:
        esr_ = pending_esr_;
        pending_esr_ = 0;
        break;
      case kIcrHigh: icr_ = (icr_ & 0xffff'ffff) | u64{value} << 32; break;
      default: error_locked(kIllegalRegister); break;
    }
    update();
  }
  if (has_interrupt()) processor_->interrupt();
}

// SDM vol. 3, table 11-6.
bool LocalApic::read_msr(u32 index, u64& value) {
  if (index == kTscDeadlineMsr) {
    const std::lock_guard lock(mutex_);
    value = timer_mode() == TimerMode::Deadline ? deadline_ : 0;
    return true;
  }
  if (!x2apic() || index - kX2apicMsrs > kSelfIpi / 16) return false;
  const unsigned at = (index - kX2apicMsrs) * 16;
  if (at == kEoi || at == kDfr || at == kIcrHigh || at == kSelfIpi) return false;
  const std::lock_guard lock(mutex_);
  if (at == kIcrLow) {
    value = icr_;
    return true;
  }
  const bool known = is_bank(at, kIsr) || is_bank(at, kTmr) || is_bank(at, kIrr) ||
                     (at >= kLvtTimer && at <= kLvtError);
  switch (at) {
    case kId:
    case kVersion:
    case kTpr:
    case kPpr:
    case kLdr:
    case kSvr:
    case kEsr:
    case kInitialCount:
    case kCurrentCount:
    case kDivide: break;
    default:
      if (!known) return false;
  }
  value = read_locked(at);
  return true;
}

bool LocalApic::write_msr(u32 index, u64 value) {
  if (index == kTscDeadlineMsr) {
    {
      const std::lock_guard lock(mutex_);
      if (timer_mode() != TimerMode::Deadline) return true;
      deadline_ = value;
    }
    arm_deadline();
    return true;
  }
  if (!x2apic() || index - kX2apicMsrs > kSelfIpi / 16) return false;
  const unsigned at = (index - kX2apicMsrs) * 16;
  if (at == kIcrLow) {
    write_icr(value);
    return true;
  }
  if (value >> 32 != 0) return false;
  const auto low = static_cast<u32>(value);
  switch (at) {
    case kSelfIpi:
      if (low > 0xff) return false;
      write_icr(low | 1u << 18);
      return true;
    case kEoi:
    case kEsr:
      if (low != 0) return false;
      break;
    case kTpr:
      if (low > 0xff) return false;
      break;
    case kSvr:
    case kInitialCount:
    case kDivide: break;
    default:
      if (at < kLvtTimer || at > kLvtError) return false;
  }
  write(at, low);
  return true;
}

}  // namespace rhea::apic
