// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC in software (SDM vol. 3, chapter 11): xAPIC and x2APIC, with its timer.
//
// Threads: each APIC has a lock of its own, held for moments and never while anything else is
// called, so that IPIs, device interrupts and the processor's accesses may come from any thread.
#pragma once

#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/interrupt.h"
#include "rhea/util/types.h"
#include "target/x86/cpu_state.h"

#include <array>
#include <atomic>
#include <mutex>
#include <optional>

namespace rhea::apic {

class ApicBus;

/// What an APIC tells its processor. Called from any thread, without the APIC's lock.
class Processor {
 public:
  virtual ~Processor() = default;
  /// There may be an interrupt to acknowledge.
  virtual void interrupt() = 0;
  virtual void nmi() = 0;
  virtual void smi() = 0;
  virtual void init() = 0;
  virtual void start_up(u8 vector) = 0;
  /// The time stamp counter, for the TSC-deadline timer, and its rate.
  virtual u64 time_stamp() = 0;
  virtual u32 tsc_khz() const = 0;
};

enum class DeliveryMode : u8 { Fixed, LowestPriority, Smi, Remote, Nmi, Init, StartUp, ExtInt };

/// A message on its way to one APIC or several.
struct Message {
  u8 vector{};
  DeliveryMode mode{DeliveryMode::Fixed};
  bool level{};    ///< trigger mode
  bool logical{};  ///< destination mode
  u32 destination{};
  bool x2apic_destination{};  ///< 32 bits, all ones being everybody
};

class LocalApic {
 public:
  LocalApic(ApicBus& bus, Processor& processor, Clock& clock, u32 id, bool boot_processor);
  ~LocalApic();
  LocalApic(const LocalApic&) = delete;
  LocalApic& operator=(const LocalApic&) = delete;

  /// IA32_APIC_BASE. False: #GP.
  static bool wants_x2apic(u64 value) { return (value & kX2apic) != 0; }
  bool set_base(u64 value, u64 physical_mask);
  u64 base() const { return base_.load(std::memory_order_relaxed); }
  bool enabled() const { return (base() & kEnabled) != 0; }
  bool x2apic() const { return (base() & kX2apic) != 0; }
  u64 page() const { return base() & ~u64{0xfff}; }

  /// The register page; 32-bit accesses at multiples of 16.
  u32 read(unsigned offset);
  void write(unsigned offset, u32 value);
  /// Accesses of any size and place: undefined ones (SDM vol. 3, 11.4.1) read what is there and
  /// write nothing.
  u64 read_page(unsigned offset, unsigned size);
  void write_page(unsigned offset, u64 value, unsigned size);
  /// MSRs 0x800..0x83f and IA32_TSC_DEADLINE; false: #GP.
  bool read_msr(u32 index, u64& value);
  bool write_msr(u32 index, u64 value);
  u8 cr8() const { return static_cast<u8>(tpr_.load(std::memory_order_relaxed) >> 4); }
  void set_cr8(u8 priority);

  /// Whether an interrupt of this APIC would be taken now.
  bool has_interrupt() const { return deliverable_.load(std::memory_order_acquire); }
  /// Moves it into service. None if it has gone.
  std::optional<u8> acknowledge();
  /// Whether the 8259s' INTR reaches the processor as such.
  bool passes_extint() const;

  /// From the bus.
  bool matches(const Message& message) const;
  void accept(const Message& message);
  unsigned priority() const;  ///< for lowest-priority arbitration
  u32 id() const { return id_; }
  /// LINT0 and LINT1; LINT1 is the machine's NMI.
  void set_lint0(bool level);
  void pulse_lint1();

  void reset();  ///< power-up and INIT; the base MSR stays at INIT
  void reset_base();
  /// Processor::time_stamp() has jumped. On the processor's thread.
  void time_stamp_moved();
  /// The register page as KVM_GET_LAPIC has it.
  void save(x86::CpuState& state);
  void load(const x86::CpuState& state);

 private:
  static constexpr u64 kBoot = 1 << 8, kX2apic = 1 << 10, kEnabled = 1 << 11;
  enum Lvt : unsigned { kTimer, kThermal, kPerformance, kLint0, kLint1, kError, kLvts };
  using Vectors = std::array<u32, 8>;

  u32 read_locked(unsigned offset);
  void write_icr(u64 value);
  void end_of_interrupt();
  void set_lvt(Lvt lvt, u32 value);
  void raise_locked(u8 vector, bool level);
  void error_locked(u32 bit);
  void fire(Lvt lvt);
  void update();
  int highest(const Vectors& vectors) const;
  u8 processor_priority() const;
  bool software_enabled() const { return (svr_ & 0x100) != 0; }
  bool matches_logical(const Message& message) const;

  // The timer.
  enum class TimerMode : u8 { OneShot, Periodic, Deadline };
  TimerMode timer_mode() const { return static_cast<TimerMode>(lvt_[kTimer] >> 17 & 3); }
  unsigned divisor_shift() const;
  u32 current_count() const;
  void start_timer(u32 count);
  void set_timer_entry(u32 value);
  void set_divide(u32 value);
  i64 period_ns() const;
  i64 not_too_soon(i64 expiry) const;
  i64 go_on_from(u32 left);
  void arm_deadline();
  void timer_expired();

  ApicBus* bus_;
  Processor* processor_;
  Clock* clock_;
  const u32 id_;
  mutable std::mutex mutex_;
  std::atomic<u64> base_;
  std::atomic<u8> tpr_{0};
  std::atomic<bool> deliverable_{false};
  u32 xapic_id_{}, ldr_{}, dfr_{0xffff'ffff}, svr_{0xff}, esr_{}, pending_esr_{}, divide_{};
  u64 icr_{};
  std::array<u32, kLvts> lvt_{};
  Vectors isr_{}, tmr_{}, irr_{};
  u32 initial_count_{};
  bool counting_{false};  ///< a one-shot count ends at zero and stays there
  i64 count_start_ns_{};
  u64 deadline_{};
  bool lint0_{false};
  Timer timer_;
};

}  // namespace rhea::apic
