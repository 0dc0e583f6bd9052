// SPDX-License-Identifier: GPL-2.0-or-later
// Pacing what devices tell management tools.
#include "rhea/softmmu/tool_events.h"

#include <algorithm>
#include <limits>

namespace rhea {

ToolEvents::ToolEvents(Machine& machine) : clock_(&machine.realtime_clock()) {
  timer_.init(*clock_, [this] { deliver(); });
}

void ToolEvents::tell(const std::string& name, Data data, Pace pace, const std::string& about) {
  News& news = news_[{name, about}];
  if (pace == Pace::AtOnce) {
    // What waited is older.
    if (std::exchange(news.waiting, false))
      for (const Observer& observer : observers_) observer(name, news.data);
    for (const Observer& observer : observers_) observer(name, data);
    return;
  }
  news.data = std::move(data);
  if (std::exchange(news.waiting, true)) return;
  const i64 due = std::max(news.not_before_ns, clock_->now_ns());
  if (!timer_.armed() || timer_.expiry_ns() > due) timer_.arm(due);
}

void ToolEvents::deliver() {
  const i64 now = clock_->now_ns();
  i64 next = std::numeric_limits<i64>::max();
  for (auto& [key, news] : news_) {
    if (!news.waiting) continue;
    if (news.not_before_ns > now) {
      next = std::min(next, news.not_before_ns);
      continue;
    }
    news.waiting = false;
    news.not_before_ns = now + kNsPerSecond;
    for (const Observer& observer : observers_) observer(key.first, news.data);
  }
  if (next != std::numeric_limits<i64>::max()) timer_.arm(next);
}

}  // namespace rhea
