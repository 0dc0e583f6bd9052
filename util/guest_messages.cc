// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/guest_messages.h"

#include <fmt/core.h>

namespace rhea {

GuestMessages::Limit& GuestMessages::limit_of(std::string_view device, std::string_view format,
                                              Clock::time_point now) {
  const Kind kind(format.data(), device);
  if (const auto found = kinds_.find(kind); found != kinds_.end()) return found->second;
  const auto idle = [now](const auto& entry) {
    return entry.second.limit.over(now) && entry.second.limit.held_back() == 0;
  };
  if (kinds_.size() >= kMostKinds) std::erase_if(kinds_, idle);
  if (kinds_.size() >= kMostKinds) return kinds_[Kind(nullptr, "others")];
  Limit& limit = kinds_[kind];
  limit.format = format;
  return limit;
}

GuestMessages::Verdict GuestMessages::pass(std::string_view device, std::string_view format,
                                           Clock::time_point now) {
  MessageLimit& limit = limit_of(device, format, now).limit;
  if (limit.pass(now)) return limit.full() ? Verdict::SayLast : Verdict::Say;
  ++held_back_;
  return Verdict::HoldBack;
}

std::string GuestMessages::settle(Clock::time_point now) {
  std::string lines;
  if (held_back_ == 0) return lines;
  for (auto& [kind, entry] : kinds_) {
    const u64 count = entry.limit.held_back();
    if (count == 0 || !entry.limit.over(now)) continue;
    lines += fmt::format("{}: {} more like \"{}\"\n", kind.second, count, entry.format);
    held_back_ -= count;
    entry.limit.forget();
  }
  return lines;
}

}  // namespace rhea
