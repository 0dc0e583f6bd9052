// SPDX-License-Identifier: GPL-2.0-or-later
#include "target/x86/page_sources.h"

#include <algorithm>

namespace rhea::x86 {

bool PageSources::add(const PageSource& made) {
  if (all_.size() == kMost) return false;
  slots_.resize(kSlots);
  all_.push_back(made);
  unsigned at = hash(made.entry);
  while (slots_[at] != 0) at = (at + 1) % kSlots;
  slots_[at] = static_cast<u16>(all_.size());
  return true;
}

void PageSources::clear() {
  if (all_.empty()) return;
  all_.clear();
  std::ranges::fill(slots_, u16{0});
}

}  // namespace rhea::x86
