// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of a partition.
#include "accel/jit/hyperv.h"

#include "accel/apic/apic_registers.h"
#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "target/x86/hyperv.h"

#include <array>
#include <utility>

namespace rhea::jit {
namespace {

using x86::HypervFeature;
namespace msr = x86::hyperv_msr;

constexpr u64 kEnable = 1, kLocked = 2, kFrame = ~u64{0xfff};
constexpr u64 kPerSecond = 10'000'000;  // reference time has units of 100 ns
constexpr u64 kApicHertz = 1'000'000'000;

/// No hypercall is offered: HV_STATUS_INVALID_HYPERCALL_CODE, in RAX or EDX:EAX, without asking.
constexpr std::array<u8, 8> kHypercallPage = {0x31, 0xd2,                    // xor edx, edx
                                              0xb8, 0x02, 0x00, 0x00, 0x00,  // mov eax, 2
                                              0xc3};                         // ret

/// TLFS, 12.7.1: time = (TSC * scale >> 64) + offset, unless the sequence is 0.
struct ReferenceTscPage {
  u32 sequence{}, reserved{};
  u64 scale{};
  i64 offset{};
};

template <class T>
std::span<const u8> bytes_of(const T& value) {
  return {reinterpret_cast<const u8*>(&value), sizeof value};
}

u64 read_apic(JitVcpu& vcpu, unsigned offset) {
  u64 value = 0;
  if (!vcpu.apic().x2apic()) return vcpu.apic().read_page(offset, 4);
  vcpu.apic().read_msr(apic::reg::kX2apicMsrs + offset / 16, value);
  return value;
}

void write_apic(JitVcpu& vcpu, unsigned offset, u64 value) {
  if (vcpu.apic().x2apic())
    vcpu.apic().write_msr(apic::reg::kX2apicMsrs + offset / 16, value);
  else
    vcpu.apic().write_page(offset, value, 4);
}

u64 read_icr(JitVcpu& vcpu) {
  const u64 low = read_apic(vcpu, apic::reg::kIcrLow);
  return vcpu.apic().x2apic() ? low : low | read_apic(vcpu, apic::reg::kIcrHigh) << 32;
}

void write_icr(JitVcpu& vcpu, u64 value) {
  if (vcpu.apic().x2apic()) return write_apic(vcpu, apic::reg::kIcrLow, value);
  write_apic(vcpu, apic::reg::kIcrHigh, value >> 32);
  write_apic(vcpu, apic::reg::kIcrLow, value & 0xffff'ffff);
}

}  // namespace

bool HypervPartition::has_msr(const JitVcpu& vcpu, u32 index) {
  const x86::Hyperv& offered = vcpu.model().hyperv;
  if (!offered.present()) return false;
  switch (index) {
    case msr::kGuestOsId:
    case msr::kHypercall: return true;
    case msr::kVpIndex: return offered.has(HypervFeature::VpIndex);
    case msr::kReset: return offered.has(HypervFeature::Reset);
    case msr::kTimeRefCount:
    case msr::kReferenceTsc: return offered.has(HypervFeature::Time);
    case msr::kTscFrequency:
    case msr::kApicFrequency: return offered.has(HypervFeature::Frequencies);
    case msr::kEoi:
    case msr::kIcr:
    case msr::kTpr:
    case msr::kVpAssistPage: return offered.has(HypervFeature::Vapic);
    default: return false;
  }
}

bool HypervPartition::read(JitVcpu& vcpu, u32 index, u64& value) {
  const std::lock_guard lock(mutex_);
  switch (index) {
    case msr::kGuestOsId: value = guest_os_id_; return true;
    case msr::kHypercall: value = hypercall_; return true;
    case msr::kVpIndex: value = vcpu.index(); return true;
    case msr::kReset: value = 0; return true;
    case msr::kTimeRefCount: value = reference_time(); return true;
    case msr::kReferenceTsc: value = reference_tsc_; return true;
    case msr::kTscFrequency: value = u64{vcpu.model().tsc_khz} * 1000; return true;
    case msr::kApicFrequency: value = kApicHertz; return true;
    case msr::kIcr: value = read_icr(vcpu); return true;
    case msr::kTpr: value = read_apic(vcpu, apic::reg::kTpr); return true;
    case msr::kVpAssistPage: value = assist_page(vcpu); return true;
    default: return false;  // EOI is written only
  }
}

bool HypervPartition::write(JitVcpu& vcpu, u32 index, u64 value) {
  switch (index) {
    case msr::kGuestOsId: {
      const std::lock_guard lock(mutex_);
      guest_os_id_ = value;
      if (value == 0) hypercall_ &= ~kEnable;
      return true;
    }
    case msr::kHypercall: set_hypercall(value); return true;
    case msr::kReset:
      if ((value & 1) != 0) machine_->request_reset(ShutdownCause::GuestReset);
      return true;
    case msr::kReferenceTsc: set_reference_tsc(vcpu, value); return true;
    case msr::kEoi: write_apic(vcpu, apic::reg::kEoi, 0); return true;
    case msr::kIcr: write_icr(vcpu, value); return true;
    case msr::kTpr: write_apic(vcpu, apic::reg::kTpr, value & 0xff); return true;
    case msr::kVpAssistPage: set_assist_page(vcpu, value); return true;
    default: return false;
  }
}

// Virtual time, so that it stands when the machine does.
u64 HypervPartition::reference_time() const {
  return static_cast<u64>(machine_->virtual_clock().now_ns()) / (1'000'000'000 / kPerSecond);
}

// TLFS, 3.13: not before the guest has said who it is, and not once the register is locked.
void HypervPartition::set_hypercall(u64 value) {
  {
    const std::lock_guard lock(mutex_);
    if ((hypercall_ & kLocked) != 0) return;
    if (guest_os_id_ == 0) value &= ~kEnable;
    hypercall_ = value & (kFrame | kEnable | kLocked);
  }
  if ((value & kEnable) != 0)
    static_cast<void>(machine_->memory().write(value & kFrame, kHypercallPage));
}

void HypervPartition::set_reference_tsc(JitVcpu& vcpu, u64 value) {
  {
    const std::lock_guard lock(mutex_);
    reference_tsc_ = value;
  }
  if ((value & kEnable) == 0) return;
  ReferenceTscPage page;
  const u64 hertz = u64{vcpu.model().tsc_khz} * 1000;
  if (hertz > kPerSecond) {
    page.sequence = 1;
    page.scale = static_cast<u64>((u128{kPerSecond} << 64) / hertz);
    const u64 counted = static_cast<u64>(u128{vcpu.time_stamp()} * page.scale >> 64);
    page.offset = static_cast<i64>(reference_time() - counted);
  }
  static_cast<void>(machine_->memory().write(value & kFrame, bytes_of(page)));
}

void HypervPartition::time_stamp_moved() {
  u64 page = 0;
  {
    const std::lock_guard lock(mutex_);
    page = reference_tsc_;
  }
  constexpr u32 invalid = 0;
  if ((page & kEnable) != 0)
    static_cast<void>(machine_->memory().write(page & kFrame, bytes_of(invalid)));
}

// All that the page could say is that an interrupt needs no end; each does.
void HypervPartition::set_assist_page(JitVcpu& vcpu, u64 value) {
  {
    const std::lock_guard lock(mutex_);
    assist_page(vcpu) = value;
  }
  constexpr u32 needed = 0;
  if ((value & kEnable) != 0)
    static_cast<void>(machine_->memory().write(value & kFrame, bytes_of(needed)));
}

// With the lock held.
u64& HypervPartition::assist_page(const JitVcpu& vcpu) {
  if (vcpu.index() >= assist_pages_.size()) assist_pages_.resize(vcpu.index() + 1);
  return assist_pages_[vcpu.index()];
}

void HypervPartition::reset() {
  const std::lock_guard lock(mutex_);
  guest_os_id_ = hypercall_ = reference_tsc_ = 0;
  assist_pages_.clear();
}

}  // namespace rhea::jit
