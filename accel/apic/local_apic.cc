// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC: priorities, messages, pins.
#include "accel/apic/local_apic.h"

#include "accel/apic/apic_bus.h"
#include "accel/apic/apic_registers.h"

#include <bit>

namespace rhea::apic {
namespace {

constexpr u32 kLevel = 1 << 15;
constexpr u32 kSuppressEoiBroadcast = 1 << 12;

}  // namespace

LocalApic::LocalApic(ApicBus& bus, Processor& processor, Clock& clock, u32 id, bool boot_processor)
    : bus_(&bus),
      processor_(&processor),
      clock_(&clock),
      id_(id),
      base_(0xfee0'0000 | kEnabled | (boot_processor ? kBoot : 0)) {
  timer_.init(clock, [this] { timer_expired(); });
  reset();
  bus_->add(*this);
}

LocalApic::~LocalApic() { bus_->remove(*this); }

void LocalApic::reset_base() { base_ = 0xfee0'0000 | kEnabled | (base() & kBoot); }

void LocalApic::reset() {
  timer_.cancel();
  const std::lock_guard lock(mutex_);
  xapic_id_ = id_ << 24;
  tpr_ = 0;
  ldr_ = 0;
  dfr_ = 0xffff'ffff;
  svr_ = 0xff;
  esr_ = pending_esr_ = divide_ = 0;
  icr_ = 0;
  lvt_.fill(reg::kMasked);
  isr_ = tmr_ = irr_ = {};
  initial_count_ = 0;
  counting_ = false;
  deadline_ = 0;
  deliverable_ = false;
}

// SDM vol. 3, figure 11-23: x2APIC mode is left only by disabling the APIC.
bool LocalApic::set_base(u64 value, u64 physical_mask) {
  constexpr u64 defined = kBoot | kX2apic | kEnabled;
  if ((value & ~(physical_mask & ~u64{0xfff}) & ~defined) != 0) return false;
  const bool was_x2 = x2apic(), on = (value & kEnabled) != 0, x2 = (value & kX2apic) != 0;
  if (x2 && !on) return false;
  if (was_x2 && on && !x2) return false;
  if (!enabled() && x2) return false;
  const bool turned_off = enabled() && !on;
  base_ = value;
  if (turned_off) reset();
  if (x2 && !was_x2) {
    const std::lock_guard lock(mutex_);
    ldr_ = (id_ >> 4) << 16 | 1u << (id_ & 0xf);
  }
  processor_->interrupt();
  return true;
}

int LocalApic::highest(const Vectors& vectors) const {
  for (unsigned word = 8; word-- > 0;)
    if (vectors[word] != 0)
      return static_cast<int>(word * 32 + 31) - std::countl_zero(vectors[word]);
  return -1;
}

u8 LocalApic::processor_priority() const {
  const int in_service = highest(isr_);
  const unsigned service = in_service < 0 ? 0 : static_cast<unsigned>(in_service) & 0xf0;
  const unsigned task = tpr_.load(std::memory_order_relaxed);
  return static_cast<u8>((task & 0xf0) >= service ? task : service);
}

// With the lock held, after anything that decides whether an interrupt can be taken.
void LocalApic::update() {
  const int pending = software_enabled() ? highest(irr_) : -1;
  deliverable_.store(pending >= 0 && (pending & 0xf0) > (processor_priority() & 0xf0),
                     std::memory_order_release);
}

std::optional<u8> LocalApic::acknowledge() {
  const std::lock_guard lock(mutex_);
  if (!has_interrupt()) return std::nullopt;
  const auto vector = static_cast<unsigned>(highest(irr_));
  irr_[vector / 32] &= ~(1u << vector % 32);
  isr_[vector / 32] |= 1u << vector % 32;
  update();
  return static_cast<u8>(vector);
}

unsigned LocalApic::priority() const {
  const std::lock_guard lock(mutex_);
  return processor_priority();
}

bool LocalApic::passes_extint() const {
  if (!enabled()) return true;
  const std::lock_guard lock(mutex_);
  const u32 lint0 = lvt_[kLint0];
  return (lint0 & reg::kMasked) == 0 &&
         static_cast<DeliveryMode>(lint0 >> 8 & 7) == DeliveryMode::ExtInt;
}

void LocalApic::set_cr8(u8 priority) {
  {
    const std::lock_guard lock(mutex_);
    tpr_ = static_cast<u8>(priority << 4);
    update();
  }
  if (has_interrupt()) processor_->interrupt();
}

// ---- Messages

bool LocalApic::matches_logical(const Message& message) const {
  const std::lock_guard lock(mutex_);
  if (x2apic()) {
    // A message of 8 bits reaches cluster 0's first eight.
    const u32 destination = message.destination;
    return destination >> 16 == ldr_ >> 16 && (destination & ldr_ & 0xffff) != 0;
  }
  const u32 mine = ldr_ >> 24, wanted = message.destination & 0xff;
  if (dfr_ >> 28 == 0xf) return (mine & wanted) != 0;
  return mine >> 4 == wanted >> 4 && (mine & wanted & 0xf) != 0;
}

bool LocalApic::matches(const Message& message) const {
  if (!enabled()) return false;
  const u32 everybody = message.x2apic_destination ? 0xffff'ffff : 0xff;
  if (message.destination == everybody) return true;
  if (message.logical) return matches_logical(message);
  return message.destination == (x2apic() ? id_ : xapic_id_ >> 24);
}

void LocalApic::accept(const Message& message) {
  switch (message.mode) {
    case DeliveryMode::Fixed:
    case DeliveryMode::LowestPriority: {
      const std::lock_guard lock(mutex_);
      raise_locked(message.vector, message.level);
      break;
    }
    case DeliveryMode::Smi: return processor_->smi();
    case DeliveryMode::Nmi: return processor_->nmi();
    case DeliveryMode::Init: return processor_->init();
    case DeliveryMode::StartUp: return processor_->start_up(message.vector);
    case DeliveryMode::ExtInt: break;
    case DeliveryMode::Remote: return;
  }
  processor_->interrupt();
}

void LocalApic::raise_locked(u8 vector, bool level) {
  if (vector < 16) return error_locked(reg::kReceiveIllegal);
  const u32 bit = 1u << vector % 32;
  irr_[vector / 32] |= bit;
  if (level)
    tmr_[vector / 32] |= bit;
  else
    tmr_[vector / 32] &= ~bit;
  update();
}

void LocalApic::error_locked(u32 bit) {
  pending_esr_ |= bit;
  if ((lvt_[kError] & reg::kMasked) == 0 && (lvt_[kError] & 0xff) >= 16)
    raise_locked(static_cast<u8>(lvt_[kError]), false);
}

// A local interrupt, as its LVT entry says.
void LocalApic::fire(Lvt lvt) {
  u32 entry = 0;
  {
    const std::lock_guard lock(mutex_);
    entry = lvt_[lvt];
  }
  if (!enabled() || (entry & reg::kMasked) != 0) return;
  const auto mode = lvt == kTimer || lvt == kError ? DeliveryMode::Fixed
                                                   : static_cast<DeliveryMode>(entry >> 8 & 7);
  accept({.vector = static_cast<u8>(entry),
          .mode = mode,
          .level = false,
          .logical = false,
          .destination = 0,
          .x2apic_destination = false});
}

void LocalApic::set_lint0(bool level) {
  bool rises = false;
  {
    const std::lock_guard lock(mutex_);
    rises = level && !lint0_;
    lint0_ = level;
  }
  if (!enabled() || passes_extint()) {
    if (level) processor_->interrupt();
  } else if (rises) {
    fire(kLint0);
  }
}

void LocalApic::pulse_lint1() {
  if (enabled())
    fire(kLint1);
  else
    processor_->nmi();
}

void LocalApic::end_of_interrupt() {
  int vector = -1;
  bool level = false;
  {
    const std::lock_guard lock(mutex_);
    vector = highest(isr_);
    if (vector < 0) return;
    const auto n = static_cast<unsigned>(vector);
    isr_[n / 32] &= ~(1u << n % 32);
    level = (tmr_[n / 32] >> n % 32 & 1) != 0 && (svr_ & kSuppressEoiBroadcast) == 0;
    update();
  }
  if (level) bus_->end_of_interrupt(static_cast<u8>(vector));
  if (has_interrupt()) processor_->interrupt();
}

// ICR: SDM vol. 3, 11.6.1.
void LocalApic::write_icr(u64 value) {
  {
    const std::lock_guard lock(mutex_);
    icr_ = value & ~u64{reg::kPending};
  }
  Message message{.vector = static_cast<u8>(value),
                  .mode = static_cast<DeliveryMode>(value >> 8 & 7),
                  .level = (value & kLevel) != 0,
                  .logical = (value & 1u << 11) != 0,
                  .destination = static_cast<u32>(x2apic() ? value >> 32 : value >> 56),
                  .x2apic_destination = x2apic()};
  const bool asserted = (value & 1u << 14) != 0;
  if (message.mode == DeliveryMode::Init && message.level && !asserted) return;  // de-assertion
  if (message.mode == DeliveryMode::Fixed || message.mode == DeliveryMode::LowestPriority) {
    if (message.vector < 16) {
      const std::lock_guard lock(mutex_);
      return error_locked(reg::kSendIllegal);
    }
    message.level = false;
  }
  const u32 everybody = x2apic() ? 0xffff'ffff : 0xff;
  switch (value >> 18 & 3) {
    case 0: return bus_->send(message);
    case 1: return accept(message);
    case 2: message.destination = everybody; return bus_->send(message);
    default: message.destination = everybody; return bus_->send(message, this);
  }
}

}  // namespace rhea::apic
