// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's state in snapshots.
#include "accel/apic/apic_registers.h"
#include "accel/apic/local_apic.h"

#include <cstring>

namespace rhea::apic {

using namespace reg;

namespace {

constexpr std::size_t kPageBytes = 1024;
/// Ours, where no register is.
constexpr unsigned kPendingErrors = 0x3f0, kDeadline = 0x3f4;

template <class T>
void put(std::vector<u8>& page, unsigned offset, T value) {
  std::memcpy(page.data() + offset, &value, sizeof value);
}
u32 get(const std::vector<u8>& page, unsigned offset) {
  u32 value = 0;
  std::memcpy(&value, page.data() + offset, sizeof value);
  return value;
}

}  // namespace

// KVM_GET_LAPIC's page: the registers at their offsets.
void LocalApic::save(x86::CpuState& state) {
  state.apic_base = base();
  state.lapic.assign(kPageBytes, 0);
  const std::lock_guard lock(mutex_);
  auto& page = state.lapic;
  for (unsigned offset = kId; offset <= kDivide; offset += 16) {
    const u32 errors = pending_esr_;
    put(page, offset, read_locked(offset));
    pending_esr_ = errors;
  }
  put(page, kPendingErrors, static_cast<u32>(pending_esr_));
  put(page, kDeadline, static_cast<u32>(deadline_));
  put(page, kDeadline + 4, static_cast<u32>(deadline_ >> 32));
}

void LocalApic::load(const x86::CpuState& state) {
  base_ = state.apic_base;
  reset();
  if (state.lapic.size() < kPageBytes) return;
  const auto& page = state.lapic;
  i64 expiry = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!x2apic()) xapic_id_ = get(page, kId);
    tpr_ = static_cast<u8>(get(page, kTpr));
    ldr_ = get(page, kLdr);
    dfr_ = get(page, kDfr);
    svr_ = get(page, kSvr) & 0x11ff;
    for (unsigned word = 0; word < 8; ++word) {
      isr_[word] = get(page, kIsr + word * 16);
      tmr_[word] = get(page, kTmr + word * 16);
      irr_[word] = get(page, kIrr + word * 16);
    }
    isr_[0] &= 0xffff'0000;
    irr_[0] &= 0xffff'0000;
    esr_ = get(page, kEsr);
    icr_ = u64{get(page, kIcrHigh)} << 32 | get(page, kIcrLow);
    for (unsigned lvt = kTimer; lvt < kLvts; ++lvt) lvt_[lvt] = get(page, kLvtTimer + lvt * 16);
    divide_ = get(page, kDivide) & 0xb;
    pending_esr_ = get(page, kPendingErrors) & 0xff;
    initial_count_ = get(page, kInitialCount);
    deadline_ = u64{get(page, kDeadline + 4)} << 32 | get(page, kDeadline);
    const u32 left = get(page, kCurrentCount);
    counting_ = initial_count_ != 0 && left != 0;
    expiry = go_on_from(left);
    update();
  }
  if (timer_mode() == TimerMode::Deadline)
    arm_deadline();
  else if (counting_)
    timer_.arm(expiry);
  if (has_interrupt()) processor_->interrupt();
}

}  // namespace rhea::apic
