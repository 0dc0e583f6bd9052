// SPDX-License-Identifier: GPL-2.0-or-later
// A guest for comparing two ways of executing the same code: random blocks of 1 to 64 instructions
// of all families, in all modes, of which most do something: where there is paging, nearly every
// canonical address leads to memory, some to the code itself, to devices, or nowhere.
//
// Nothing in it is left to what a processor may do either way: its page tables cannot be reached by
// its own stores (what TLBs keep of them is not defined), and no instruction loads CR3.
#pragma once

#include "tests/jit/wild_guest.h"

#include <span>

namespace rhea::test {

class BlockGuest final : public WildGuest {
 public:
  explicit BlockGuest(bool translate);

  /// Where an instruction was put when the guest was started.
  struct Piece {
    u64 at{};
    unsigned length{};
  };
  std::span<const Piece> pieces() const { return pieces_; }
  /// Those, by their number in pieces(), are NOPs from the next start on.
  void leave_out(std::vector<bool> which) { left_out_ = std::move(which); }

  void disturb() override;
  /// Block by block; along the ways between translated blocks, for so many looks around; or one
  /// instruction at a time by the interpreter.
  enum class How : u8 { Blocks, Linked, Singly };
  unsigned run(unsigned rounds, How how);

  // ---- From outside, between two runs.
  void interrupt(u8 vector);
  void nmi() { vcpu_->inject_nmi(); }
  void write_by_device(u64 address, std::span<const u8> bytes) {
    static_cast<void>(machine_.memory().write(address, bytes));
  }
  void write_by_other_processor(u64 address, u64 value, unsigned size);
  /// The other processor changes one of the 512 pages that all addresses lead to, and has this one
  /// forget what it knew of them.
  void map(unsigned page, u64 frame, u64 flags);

  x86::Cpu& cpu() { return vcpu_->cpu(); }
  /// Of the one that translates.
  const jit::TranslationCounts& counts() const { return vcpu_->translations()->counts(); }
  const u8* memory() const { return ram_.host(); }
  const u8* overlay() const { return overlay_.host(); }
  /// Of all that devices were asked and told.
  u64 device_trace() const { return device_trace_; }
  unsigned code_bits() const;
  x86::CpuState save() {
    x86::CpuState state;
    vcpu_->cpu().save(state);
    return state;
  }
  /// Where a linear address leads to; for reports.
  std::optional<u64> physical(u64 linear) {
    const auto at = vcpu_->translate(GuestVirt(linear));
    return at ? std::optional(at->value) : std::nullopt;
  }

  static constexpr u64 kMemory = kRam, kOverlayBytes = 64 * KiB, kCodeStart = kCode,
                       kCodeSize = kCodeBytes, kDataStart = kData;

 private:
  /// How control leaves a block, and how many bytes that takes.
  enum class End : u8 { Jump, Condition, Call, Return, Loop, Register, Indirect, None };
  struct Body {
    u64 at{};
    std::vector<std::vector<u8>> instructions;
    End end{};
  };

  u64 number() override;
  void fill_code() override;
  void fill_descriptors() override;
  void fill_gates() override;
  void fill_page_tables() override;
  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, u64 value, unsigned size) override;

  void trace(u64 what);
  void choose_pointers();
  std::vector<u8> one_instruction();
  std::vector<u8> move_pointer();
  std::vector<u8> small_count();
  std::vector<u8> end_of(const Body& body, u64 at, std::span<const Body> all);
  u64 any_frame();
  u64 usual_flags();
  unsigned size_of(End end) const;
  void put(u64 at, const std::vector<u8>& bytes);

  std::vector<std::vector<const x86::isa::Row*>> families_;
  std::array<u8, 3> pointers_{};  ///< registers that keep addresses
  u16 kept_{};                    ///< those and RSP, by bits
  std::vector<u8> code_;
  std::vector<Piece> pieces_;
  std::vector<bool> left_out_;
  u64 device_trace_{};
};

}  // namespace rhea::test
