// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/jit/jump_tables.h"

#include <algorithm>

namespace rhea::jit {

JumpTables::Kind& JumpTables::fitting(u32 mode_key, bool user, const x86::CodeEpochs& epochs,
                                      const CodeSegment& segment) {
  const auto is_alike = [&](const Kind& kind) {
    return kind.mode_key == mode_key && kind.user == user && kind.segment == segment;
  };
  const auto fits = [&](const Kind& kind) { return is_alike(kind) && kind.epoch == epochs.now; };
  const auto serves_all = [&](const Kind& kind) { return is_alike(kind) && !user && !kind.here; };
  Kind*& latest = latest_[user ? 1 : 0];
  if (latest == nullptr || !fits(*latest)) {
    auto known = std::ranges::find_if(all_, [&](const auto& each) { return fits(*each); });
    if (known == all_.end())
      known = std::ranges::find_if(all_, [&](const auto& each) { return serves_all(*each); });
    latest = known != all_.end() ? known->get() : &unused();
    latest->mode_key = mode_key;
    latest->user = user;
    latest->segment = segment;
  }
  latest->used = ++uses_;
  return *latest;
}

x86::JumpTable& JumpTables::change_to(u32 mode_key, bool user, const x86::CodeEpochs& epochs,
                                      const CodeSegment& segment) {
  if (now_ != nullptr) now_->used = ++uses_;
  now_ = &fitting(mode_key, user, epochs, segment);
  if (now_->global_epoch != epochs.global) {
    now_->clear();
  }
  now_->epoch = epochs.now;
  now_->global_epoch = epochs.global;
  return now_->table;
}

// A new one, or whichever was used longest ago.
JumpTables::Kind& JumpTables::unused() {
  if (all_.size() < kMost) return *all_.emplace_back(std::make_unique<Kind>());
  Kind& oldest = **std::ranges::min_element(all_, {}, [](const auto& each) { return each->used; });
  oldest.clear();
  return oldest;
}

// An entry that is not there has an address that belongs elsewhere (JumpTable::clear).
void JumpTables::forget(const u8* first, const u8* end) {
  for (const auto& each : all_) {
    if (!each->table.used) continue;
    const auto& entries = each->table.entries;
    for (unsigned at = 0; at < entries.size(); ++at)
      if (entries[at].host >= first && entries[at].host < end) each->table.forget(at);
  }
}

void JumpTables::clear() {
  for (const auto& each : all_) each->clear();
}

}  // namespace rhea::jit
