// SPDX-License-Identifier: GPL-2.0-or-later
// Translated blocks, checked while a guest runs: before one is executed, the interpreter does the
// same on a processor and memory of its own; afterwards both must have come to the same.
#pragma once

#include "accel/jit/row_counts.h"
#include "rhea/softmmu/ram_block.h"
#include "target/x86/cpu.h"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

namespace rhea::jit {

struct Block;

/// Of one processor, whose thread calls it, under its RcuGuard. Blocks that reach a device, read a
/// clock, or store to pages with code are not compared, nor are those during which another thread
/// wants the processor, nor those that reach a page whose translation has changed and which the
/// processor has not yet invalidated. Nobody else may store meanwhile: that looks like a
/// difference, as do devices' stores.
class Verifier {
 public:
  /// `bus`: the one of the processor that translates.
  Verifier(x86::Bus& bus, const x86::CpuModel& model);

  /// Whether the block is compared this time: the first few times, and ever more rarely.
  static bool is_due(unsigned runs);
  /// The processor is about to execute the block, for so many times in all.
  void begin(const x86::Cpu& cpu, const Block& block, unsigned runs = 1);
  /// It has executed it. What differs, interpreter's and translator's; empty: nothing, or it could
  /// not be compared. `left_early`: translated code says that it has left the block in its middle.
  std::string finish(const x86::Cpu& cpu, bool left_early = false);

  struct Counts {
    std::atomic<u64> compared{0}, passed_over{0}, different{0};
  };
  /// From any thread.
  const Counts& counts() const { return counts_; }
  const RowCounts& rows() const { return rows_; }

 private:
  /// What cannot be done twice.
  struct NotTwice {};
  /// Aligned as far as any instruction asks for.
  struct alignas(64) Page {
    std::array<u8, kPageSize> bytes{};
    const u8* real{};
  };
  /// Copies of the machine's pages, made when they are first asked for.
  class Copies final : public x86::Bus {
   public:
    explicit Copies(x86::Bus& real) : real_(&real) {}
    void forget() { pages_.clear(); }
    std::string differences() const;
    /// What the page at this address, one of ours, is a copy of.
    const u8* original(u64 copy) const;

    x86::HostPage page(u64 address) override;
    void wrote(u64, unsigned) override { throw NotTwice{}; }
    u64 read(u64, unsigned) override { throw NotTwice{}; }
    void write(u64 address, u64 value, unsigned size) override;
    u64 in(u16, unsigned) override { throw NotTwice{}; }
    void out(u16, u64, unsigned) override { throw NotTwice{}; }
    u64 tsc() override { throw NotTwice{}; }
    void tsc_moved() override { throw NotTwice{}; }
    bool read_msr(u32, u64&) override { throw NotTwice{}; }
    bool write_msr(u32, u64) override { throw NotTwice{}; }
    u8 task_priority() override { throw NotTwice{}; }
    void set_task_priority(u8) override { throw NotTwice{}; }
    u64 hypercall(u64, const std::array<u64, 4>&) override { throw NotTwice{}; }
    void fpu_error() override { throw NotTwice{}; }
    void exclusively(void (*)(void*), void*) override { throw NotTwice{}; }

   private:
    x86::Bus* real_;
    std::unordered_map<u64, std::unique_ptr<Page>> pages_;
  };

  void take_over(const x86::Cpu& from);
  void interpret(const x86::Cpu& real, const Block& block);
  bool is_up_to_date(const x86::Cpu& real) const;
  bool is_behind_one(u64 rip) const;

  Copies copies_;
  x86::Cpu cpu_;
  bool compares_{}, stopped_early_{};
  std::size_t executed_{};  ///< of the block's instructions
  const Block* block_{};
  u64 rip_{}, linear_{};  ///< where it begins
  unsigned code_bits_{};
  Counts counts_;
  RowCounts rows_;
};

}  // namespace rhea::jit
