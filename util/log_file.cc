// SPDX-License-Identifier: GPL-2.0-or-later
// The file that -D names.
#include "util/log_file.h"

#include "rhea/util/log.h"

#include <fmt/format.h>

#include <utility>

namespace rhea {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxWaiting = 256 * KiB;
constexpr auto kPatience = 500ms;

std::span<const u8> bytes_of(std::string_view text) {
  return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

}  // namespace

LogFile::LogFile(FileDescriptor fd)
    : writer_(FileWriter::to_file(std::move(fd)), kMaxWaiting,
              {.room =
                   [this] {
                     const std::lock_guard lock(mutex_);
                     ++rooms_;
                     changed_.notify_all();
                   },
               .failed =
                   [](const Error& error) {
                     report_warning(fmt::format("the log: {}", error.message()));
                   }}) {}

void LogFile::write(std::string_view text) {
  if (lost_ != 0) {
    const std::string note = fmt::format(
        "{}({} messages before this one are lost: nobody took them)\n", torn_ ? "\n" : "", lost_);
    if (!send(note)) {
      ++lost_;
      return;
    }
    lost_ = 0;
    torn_ = false;
  }
  if (!send(text)) ++lost_;
}

bool LogFile::send(std::string_view text) {
  bool begun = false;
  while (true) {
    u64 before = 0;
    {
      const std::lock_guard lock(mutex_);
      before = rooms_;
    }
    const std::size_t taken = writer_.write(bytes_of(text));
    begun |= taken > 0;
    text.remove_prefix(taken);
    if (text.empty()) break;
    if (taken == 0 && stalled_) return false;
    std::unique_lock lock(mutex_);
    stalled_ = !changed_.wait_for(lock, kPatience, [&] { return rooms_ != before; });
    if (!stalled_) continue;
    // It must not run into the next.
    torn_ |= begun;
    return false;
  }
  stalled_ = false;
  return true;
}

void LogFile::flush() { writer_.flush(std::chrono::steady_clock::now() + kPatience); }

}  // namespace rhea
