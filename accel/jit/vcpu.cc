// SPDX-License-Identifier: GPL-2.0-or-later
// A software vCPU between its thread, the machine and its processor.
#include "accel/jit/vcpu.h"

#include "accel/apic/apic_bus.h"
#include "accel/jit/turns.h"
#include "accel/jit/vm.h"
#include "rhea/util/log.h"
#include "target/x86/paging.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/msr.h"

#include <algorithm>
#include <utility>

namespace rhea::jit {

using x86::Attention;

JitVcpu::JitVcpu(Vm& vm, unsigned index, x86::CpuModel model)
    : vm_(&vm),
      index_(index),
      turns_(vm.turns()),
      model_(std::move(model)),
      bus_(*this),
      cpu_(bus_, model_),
      apic_(vm.machine().service<apic::ApicBus>(), *this, vm.machine().virtual_clock(),
            model_.apic_id, index == 0),
      cache_(model_, cpu_.tlb.epochs(), vm.code_memory()) {
  if (vm.translates()) {
    translations_.emplace(cpu_, vm.code_memory(), vm.translation_capacity());
    if (!*translations_) translations_.reset();
    cache_.set_on_change([this](const CodePage& page) { vm_->code_changed(*this, page); });
    cpu_.translated.call = reinterpret_cast<const void*>(&call_instruction);
    cpu_.translated.owner = this;
    if (vm.verifies()) verifier_.emplace(bus_, model_);
  }
  vm.add(*this);
  reset(ResetKind::Cold);
}

JitVcpu::~JitVcpu() { vm_->remove(*this); }

void JitVcpu::attend_to(Attention what) {
  cpu_.need_attention(what);
  sleeper_.wake(cpu_.attention);
  if (turns_ != nullptr) turns_->notify();
}

void JitVcpu::show_time() {
  if (turns_ != nullptr) turns_->show_time(*this);
}

unsigned JitVcpu::run_briefly(unsigned rounds) {
  rounds_ = 0;
  pause_at_ = rounds;
  leave_at_pause_ = true;
  run();
  pause_at_ = kRoundsBetweenPauses;
  leave_at_pause_ = false;
  return std::min(std::exchange(rounds_, 0), rounds);
}

void JitVcpu::nmi() {
  nmis_arrived_.fetch_add(1, std::memory_order_relaxed);
  attend_to(Attention::Nmi);
}

void JitVcpu::kick() { attend_to(Attention::Exit); }

void JitVcpu::enter() {
  for (;;) {
    // Before the look at who is alone: who comes after it asks again.
    cpu_.clear_attention(Attention::Gate);
    guard_.emplace();
    if (!vm_->closed_to(*this)) break;
    guard_.reset();
    vm_->wait_open();
  }
  devices_may_have_written_ = true;
  // What was seen of the map before may be gone: not even the rest of this instruction may use it.
  if (take(Attention::DropWrites)) cpu_.tlb.drop_writes();
  if (cpu_.wants(Attention::FlushTlb)) flush();
  // What a device asked for meanwhile (an SMI by port 0xb2) comes before the next instruction.
  if (cpu_.attention.load(std::memory_order_relaxed) != 0) cpu_.leave_block = true;
}

bool JitVcpu::leave() {
  const bool was_inside = guard_.has_value();
  guard_.reset();
  show_time();
  // What a device does may end the block: a timer may be due earlier than thought.
  if (turns_ != nullptr) cpu_.leave_block = true;
  return was_inside;
}

void JitVcpu::flush() {
  cpu_.clear_attention(Attention::FlushTlb);
  cpu_.a20_mask = index_ != 0 || vm_->a20_open() ? ~u64{0} : ~(u64{1} << 20);
  cpu_.flush_tlb();
  cpu_.leave_block = true;
}

Result<> JitVcpu::get_state(x86::CpuState& state) {
  take_start_up();
  count_nmis();
  release_held();
  cpu_.save(state);
  apic_.save(state);
  state.cr8 = apic_.cr8();
  return {};
}

Result<> JitVcpu::set_state(const x86::CpuState& state) {
  held_ = 0;
  if (state.events.smm) static_cast<void>(vm_->management_memory());
  if (index_ == 0) vm_->hyperv().reset();
  nmis_arrived_ = 0;
  for (const auto request : {Attention::Nmi, Attention::Smi, Attention::Init, Attention::Sipi})
    cpu_.clear_attention(request);
  if (state.tsc_khz != 0) model_.tsc_khz = state.tsc_khz;
  cpu_.load(state);
  apic_.load(state);
  cpu_.need_attention(Attention::Injected);
  cpu_.need_attention(Attention::Interrupt);  // the 8259s may have one
  if (state.mp_state == x86::MpState::SipiReceived)
    start_up(static_cast<u8>(state.events.sipi_vector));
  flush();
  return {};
}

void JitVcpu::reset(ResetKind) {
  cpu_.reset(false);
  if (index_ != 0) cpu_.activity = x86::Activity::WaitForSipi;
  apic_.reset_base();
  apic_.reset();
  held_ = 0;
  nmis_arrived_ = 0;
  if (index_ == 0) vm_->hyperv().reset();
  flush();
}

void JitVcpu::inject_nmi() { apic_.pulse_lint1(); }

void JitVcpu::start_up(u8 vector) {
  start_up_vector_.store(vector, std::memory_order_relaxed);
  attend_to(Attention::Sipi);
}

std::optional<GuestPhys> JitVcpu::translate(GuestVirt address) {
  if (cpu_.smm) static_cast<void>(vm_->management_memory());  // takes a lock on first use
  const RcuGuard guard;
  const auto physical = x86::translate_quietly(cpu_, address.value);
  if (!physical) return std::nullopt;
  return GuestPhys(*physical);
}

Result<> JitVcpu::set_single_step(accel::SingleStep how) {
  single_step_ = how;
  release_held();
  return {};
}

Result<> JitVcpu::set_debug_stops(const x86::DebugStops& stops) {
  x86::set_debug_stops(cpu_, stops);
  return {};
}

std::optional<x86::DebugStop> JitVcpu::take_debug_stop() { return std::exchange(debug_stop_, {}); }

// As Cpu::save() lays them out.
accel::XsaveOffsets JitVcpu::xsave_offsets() const {
  return {.ymm_high = model_.has(x86::Feature::Avx) ? 576U : 0,
          .pkru = model_.has(x86::Feature::Pku) ? 832U : 0};
}

u64 JitVcpu::ticks() {
  show_time();
  // The same as of the product, which has more than 64 bits and takes long to be divided.
  constexpr u64 kUnit = 1'000'000;
  const auto now = static_cast<u64>(vm_->machine().virtual_clock().now_ns());
  return now / kUnit * model_.tsc_khz + now % kUnit * model_.tsc_khz / kUnit;
}

void JitVcpu::time_stamp_moved() {
  const Outside outside(*this);
  apic_.time_stamp_moved();
  vm_->hyperv().time_stamp_moved();
}

u64 JitVcpu::read_apic(unsigned offset, unsigned size) {
  show_time();
  return apic_.read_page(offset, size);
}

void JitVcpu::write_apic(unsigned offset, u64 value, unsigned size) {
  const Outside outside(*this);  // an end of interrupt goes to the I/O APIC
  apic_.write_page(offset, value, size);
}

bool JitVcpu::read_msr(u32 index, u64& value) {
  show_time();
  if (HypervPartition::has_msr(*this, index)) return vm_->hyperv().read(*this, index, value);
  if (index != x86::msr::kApicBase) return apic_.read_msr(index, value);
  value = apic_.base();
  return true;
}

bool JitVcpu::write_msr(u32 index, u64 value) {
  const Outside outside(*this);
  if (HypervPartition::has_msr(*this, index)) return vm_->hyperv().write(*this, index, value);
  if (index != x86::msr::kApicBase) return apic_.write_msr(index, value);
  if (apic::LocalApic::wants_x2apic(value) && !model_.has(x86::Feature::X2apic)) return false;
  if (!apic_.set_base(value, model_.physical_mask())) return false;
  attend_to(Attention::FlushTlb);  // the register page has moved
  return true;
}

}  // namespace rhea::jit
