// SPDX-License-Identifier: GPL-2.0-or-later
// Two guests that are the same but for how they execute: one translates, the other interprets one
// instruction at a time. Wherever the first comes to a stop, the second must have been in the same
// state, in the same order.
#pragma once

#include "target/x86/arch_state.h"
#include "tests/jit/block_guest.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rhea::test {

struct BlockRun {
  u64 seed{};
  /// Memory is compared at each stop, not only at the end; failures say what was executed.
  bool strict{};
  std::vector<bool> left_out{};  ///< see BlockGuest::leave_out()
};

class BlockPair {
 public:
  BlockPair();

  /// What differed; nullopt: nothing.
  std::optional<std::string> run(const BlockRun& how);
  /// How many blocks have been executed by the translator.
  u64 blocks() const { return blocks_; }
  /// And instructions by the interpreter.
  u64 instructions() const { return instructions_; }
  /// And how many of the translator's have made room for others.
  u64 evicted() const { return translated_.counts().evicted.load(); }
  std::size_t pieces() const { return reference_.pieces().size(); }
  /// All that it has run, in order.
  const std::vector<u64>& seeds() const { return seeds_; }
  /// Is called with the guest that translates when a seed begins: to make it another.
  void when_started(std::function<void(BlockGuest&)> action) { when_started_ = std::move(action); }

 private:
  static constexpr unsigned kRuns = 8, kStops = 40, kMostSteps = 20'000;

  std::optional<std::string> go_on();
  std::optional<std::string> follow(unsigned rounds, bool linked);
  /// `interrupts`: one of those, each time.
  void happen(bool interrupts);
  void allow_interrupts();
  bool same_state();
  std::string memory_difference();
  bool at_repeated_string();
  void note();
  std::string report(const std::string& nearest) const;
  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }

  BlockGuest reference_, translated_;
  std::function<void(BlockGuest&)> when_started_ = [](BlockGuest&) {};
  x86::isa::Random random_;
  bool strict_{};
  bool abandoned_{};  ///< the seed, because the reference cannot follow in time
  u64 blocks_{}, instructions_{};
  std::vector<u64> seeds_;
  /// What the reference has executed since both were last in the same state.
  struct Executed {
    u64 rip{}, linear{};
    unsigned bits{};
    std::array<u8, 16> bytes{};
  };
  std::vector<Executed> executed_;
  std::string before_;
};

/// One seed by a pair that has run others before. What differed, made as short as it can be; empty:
/// nothing did.
std::string run_blocks(BlockPair& pair, u64 seed);

}  // namespace rhea::test
