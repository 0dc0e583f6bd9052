// SPDX-License-Identifier: GPL-2.0-or-later
// Which tables translated code looks addresses up in: one for each address space's user code, and
// one for the supervisor's of all.
#pragma once

#include "target/x86/tlb_set.h"
#include "target/x86/translated.h"

#include <array>
#include <memory>
#include <vector>

namespace rhea::jit {

/// Where code lies: what is found under one RIP depends on it. Zeros where it is flat.
struct CodeSegment {
  u64 base{};
  u32 limit{};
  friend bool operator==(const CodeSegment&, const CodeSegment&) = default;
};

/// Not thread-safe.
class JumpTables {
 public:
  static constexpr std::size_t kMost = 16;

  /// The table for code of this kind (CodeMode::key()), without what was found under other epochs.
  x86::JumpTable& of(u32 mode_key, bool user, const x86::CodeEpochs& epochs,
                     const CodeSegment& segment = {}) {
    Kind* const latest = latest_[user ? 1 : 0];
    if (latest == nullptr || latest->mode_key != mode_key || latest->epoch != epochs.now ||
        latest->global_epoch != epochs.global || latest->segment != segment) [[unlikely]]
      return change_to(mode_key, user, epochs, segment);
    now_ = latest;
    return latest->table;
  }
  /// In the table of now; null: not there.
  const u8* find(u64 rip) const {
    const unsigned slot = x86::JumpTable::slot(rip);
    for (const unsigned way : {slot, x86::JumpTable::other_way(slot)})
      if (now_->table.entries[way].rip == rip) return now_->table.entries[way].host;
    return nullptr;
  }
  /// In the table of now. `everywhere`: on a global page, which all address spaces have.
  void put(u64 rip, const u8* host, bool everywhere) {
    now_->here |= !everywhere;
    now_->table.put(rip, host);
  }
  void clear();
  /// Whatever leads to host code in [first, end) goes.
  void forget(const u8* first, const u8* end);

 private:
  struct Kind {
    void clear() {
      table.clear();
      here = false;
    }
    u32 mode_key{};
    bool user{};
    CodeSegment segment;
    u64 epoch{};  ///< of user code; of supervisor code: that of what is not everywhere
    u64 global_epoch{};
    bool here{};  ///< whether there is something that is not everywhere
    u64 used{};   ///< when something else was changed to
    x86::JumpTable table;
  };
  x86::JumpTable& change_to(u32 mode_key, bool user, const x86::CodeEpochs& epochs,
                            const CodeSegment& segment);
  Kind& unused();
  Kind& fitting(u32 mode_key, bool user, const x86::CodeEpochs& epochs, const CodeSegment& segment);

  std::vector<std::unique_ptr<Kind>> all_;
  Kind* now_{};
  std::array<Kind*, 2> latest_{};  ///< the supervisor's and the user's
  u64 uses_{};
};

}  // namespace rhea::jit
