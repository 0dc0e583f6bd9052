// SPDX-License-Identifier: GPL-2.0-or-later
// A vCPU on the software CPU: its thread's way in and out of the guest, and what interrupts it.
//
// While it executes, the thread holds an RcuGuard: TLB entries point into RAM that the current view
// keeps alive. It lets go of the guard between blocks when asked (Attention), every so often
// anyway, and around every access to a device, since a device's lock may be held by somebody who
// waits for guards. After a guard has been taken anew, a changed map has set Attention::FlushTlb,
// and memory whose stores are to be told Attention::DropWrites.
#pragma once

#include "accel/accelerator.h"
#include "accel/apic/local_apic.h"
#include "accel/jit/block_cache.h"
#include "accel/jit/core_bus.h"
#include "accel/jit/translations.h"
#include "accel/jit/verifier.h"
#include "rhea/util/rcu.h"
#include "target/x86/comparing.h"
#include "target/x86/cpu.h"
#include "util/sleeper.h"

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace rhea::jit {

class Turns;
class Vm;

class JitVcpu final : public accel::VcpuBackend, private apic::Processor {
 public:
  JitVcpu(Vm& vm, unsigned index, x86::CpuModel model);
  ~JitVcpu() override;
  JitVcpu(const JitVcpu&) = delete;
  JitVcpu& operator=(const JitVcpu&) = delete;

  void run() override;
  void kick() override;
  Result<> get_state(x86::CpuState& state) override;
  Result<> set_state(const x86::CpuState& state) override;
  void reset(ResetKind kind) override;
  void inject_nmi() override;
  std::optional<GuestPhys> translate(GuestVirt address) override;
  Result<> set_single_step(accel::SingleStep how) override;
  Result<> set_debug_stops(const x86::DebugStops& stops) override;
  std::optional<x86::DebugStop> take_debug_stop() override;
  accel::XsaveOffsets xsave_offsets() const override;

  /// As run(), but for so many blocks, single instructions or faults, and not beyond a HLT: for
  /// tests. Returns how many there were.
  unsigned run_briefly(unsigned rounds);

  Vm& vm() const { return *vm_; }
  x86::Cpu& cpu() { return cpu_; }
  unsigned index() const { return index_; }
  const x86::CpuModel& model() const { return model_; }
  /// From any thread: the processor looks at it before its next block; wakes it from HLT.
  void attend_to(x86::Attention what);

  /// Out of the guest for a moment: may wait for locks. On return the map may have changed, and the
  /// TLBs with it.
  using Outside = accel::OutsideOf<JitVcpu>;
  /// The other way round.
  class Inside {
   public:
    explicit Inside(JitVcpu& vcpu) : vcpu_(&vcpu) { vcpu.enter(); }
    ~Inside() { vcpu_->guard_.reset(); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    JitVcpu* vcpu_;
  };
  /// Takes the guard, once nobody else wants to be alone.
  void enter();
  /// Lets go of it; whether it was held.
  bool leave();

  /// Of its decoded code, in bytes; from any thread.
  std::size_t code_size() const {
    return cache_.size() + (translations_ ? translations_->size() : 0);
  }

  /// From any thread: code of the page has changed.
  void hear_of_change(const CodePage& page);

  /// Null where nothing is translated.
  const Translations* translations() const { return translations_ ? &*translations_ : nullptr; }
  /// Null where nothing is compared.
  const Verifier* verifier() const { return verifier_ ? &*verifier_ : nullptr; }

  // For CoreBus.
  apic::LocalApic& apic() { return apic_; }
  bool is_apic_page(u64 address) const {
    return apic_.enabled() && !apic_.x2apic() && apic_.page() == (address & ~u64{0xfff});
  }
  u64 read_apic(unsigned offset, unsigned size);
  void write_apic(unsigned offset, u64 value, unsigned size);
  /// Of the time stamp counter's clock since the machine was made.
  u64 ticks();
  /// IA32_TSC.
  u64 time_stamp() override { return ticks() + cpu_.tsc_offset; }
  /// It has been written.
  void time_stamp_moved();
  bool read_msr(u32 index, u64& value);
  bool write_msr(u32 index, u64 value);
  u64 hypercall(u64 number, const std::array<u64, 4>& arguments);

 private:
  // From the local APIC, on any thread.
  void interrupt() override { attend_to(x86::Attention::Interrupt); }
  void nmi() override;
  void smi() override { attend_to(x86::Attention::Smi); }
  void init() override { attend_to(x86::Attention::Init); }
  void start_up(u8 vector) override;
  u32 tsc_khz() const override { return model_.tsc_khz; }

  enum class Next : u8 { GoOn, Leave };
  Next execute();
  Next attend();
  Next wait_while_halted();
  void take_requests();
  bool take(x86::Attention what);
  void take_start_up();
  void hold(x86::Attention what);
  bool can_take(u32 requests) const;
  bool events_allowed() const;
  bool holds_interrupts() const;
  bool stepping() const { return single_step_ != accel::SingleStep::Off; }
  Next stop(const x86::DebugStop& why);
  void release_held();
  void take_interrupt();
  void count_nmis();
  void take_nmi();
  void take_init();
  void enter_smm();
  std::optional<u8> acknowledge();
  void flush();
  void forget_code();
  x86::OrFault<Block*> look_up();
  x86::OrFault<Block*> find_code(u64 linear, const CodeMode& mode);
  void forget_hidden_code();
  struct FetchPage;
  x86::OrFault<FetchPage*> fetch_page(u64 linear, const CodeMode& mode);
  x86::OrFault<FetchPage*> watched_page(u64 linear, const CodeMode& mode);
  x86::OrFault<Block*> find_crossing(u64 linear, const CodeMode& mode, const FetchPage& first);
  bool is_current(const FetchPage& fetch) const;
  FetchPage* known_page(u64 linear, const CodeMode& mode);
  void forget_found();
  void watch(CodePage& page, const u8* host);
  void run_block(const Block& block);
  void run_singly(const Block& block, u64 budget);
  bool is_translated(Block& block);
  void show_translation(const Block& block) const;
  Next run_translated(const Block& block);
  Next run_verified(Block& block);
  Next compare(Block& block);
  /// Whether each block is to be left behind its end.
  bool is_unlinked() const;
  Next leave_translated(const x86::translating::Left& left);
  void follow_jump(const Block& block);
  void forget_stale_jumps();
  void shut_changed_pages();
  void look_for_devices_writes();
  void prepare_translated();
  static u64 call_instruction(void* state, const void* const* header, u32 record);
  u64 fault_translated(const x86::Fault& met);
  u64 go_on_translated();
  void end_block();
  Next execute_watched(u64 budget);
  /// Counted time as devices and the guest are about to see it; nothing otherwise.
  void show_time();
  void log(Block& block);
  void step();
  void step_across();
  const u8* next_translated();
  const u8* known_translation();
  const Block* known_block(u64 linear, const CodeMode& mode, bool& everywhere);
  bool runs_on() const;
  bool is_quiet() const;
  void step_in_shadow();
  /// One instruction at a time: what comes behind each must be looked at.
  bool careful() const {
    return cpu_.shadow || cpu_.eflag(x86::eflags::kTf | x86::eflags::kRf) || stepping() ||
           x86::comparing::is(x86::comparing::one_by_one);
  }
  Next fault(const x86::Fault& fault);
  CodeMode code_mode() const { return jit::code_mode(cpu_); }

  Vm* vm_;
  unsigned index_;
  Turns* turns_;  ///< null unless instructions are counted
  x86::CpuModel model_;
  CoreBus bus_;
  x86::Cpu cpu_;
  apic::LocalApic apic_;
  BlockCache cache_;
  std::optional<Translations> translations_;  ///< if code is translated
  std::optional<Verifier> verifier_;
  /// The jump by which a translated block was left, and what it belonged to.
  struct Departure {
    DirectJump* jump{};
    u64 page{}, epoch{}, global_epoch{};
    u32 mode_key{};
  } departure_;
  /// Pages whose code has changed, until it is looked at; more than kMostChanges: all of them.
  static constexpr std::size_t kMostChanges = 64;
  std::mutex changes_mutex_;
  std::vector<const CodePage*> changed_pages_;
  std::atomic<bool> changed_{false};
  u64 seen_clears_{};
  bool found_everywhere_{};          ///< the block that look_up() found
  bool devices_may_have_written_{};  ///< to pages with translated code
  bool interpret_next_{};            ///< block: translated code has refused it
  bool left_early_{};                ///< translated code has left a block in its middle
  bool block_ended_{};               ///< what comes behind a block's end has been done already
  /// Pages that code was fetched from, by linear address: a TLB for fetches.
  struct FetchPage {
    u64 page{};
    u64 epoch{};
    bool user{};
    CoreBus::CodeAt code;
    PageBlocks* blocks{};
  };
  static constexpr unsigned kFetchPages = 256;
  std::array<FetchPage, kFetchPages> fetch_pages_{};
  FetchPage& fetch_slot(u64 page) {
    return fetch_pages_[((page >> 12) + cpu_.code_epoch()) % kFetchPages];
  }
  u64 seen_code_changes_{};
  Block* last_block_{};  ///< the one executed before, while nothing else came in between
  std::optional<RcuGuard> guard_;
  accel::SingleStep single_step_{};
  std::optional<x86::DebugStop> debug_stop_;  ///< the last one, until somebody asks
  u32 held_{};  ///< bits of Attention that wait for the processor to be able to take them
  std::atomic<u8> start_up_vector_{};
  std::atomic<u32> nmis_arrived_{0};  ///< and not yet counted in Cpu::nmis
  Sleeper sleeper_;
  /// Ways around the run loop between two moments without the RcuGuard; some tens of microseconds.
  static constexpr unsigned kRoundsBetweenPauses = 2000;
  unsigned rounds_{0}, pause_at_{kRoundsBetweenPauses};
  bool leave_at_pause_{false};
};

}  // namespace rhea::jit
