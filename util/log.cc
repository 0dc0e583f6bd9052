// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/log.h"

#include "rhea/util/host_file.h"
#include "rhea/util/known_names.h"
#include "rhea/util/trace.h"
#include "util/guest_messages.h"
#include "util/log_file.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <mutex>
#include <utility>

namespace rhea {
namespace {

struct ItemName {
  std::string_view name;
  LogItem item;
  std::string_view help;
};

constexpr std::array kItems = {
    ItemName{"guest_errors", LogItem::GuestErrors,
             "what the guest does that hardware leaves undefined"},
    ItemName{"unimp", LogItem::Unimp, "hardware the guest uses that is not emulated"},
    ItemName{"int", LogItem::Int, "interrupts and exceptions"},
    ItemName{"in_asm", LogItem::InAsm, "guest code, disassembled, when first run"},
    ItemName{"out_asm", LogItem::OutAsm, "host code of translated blocks, disassembled"},
    ItemName{"exec", LogItem::Exec, "each block of guest code run"},
    ItemName{"cpu", LogItem::Cpu, "CPU registers before each block"},
    ItemName{"cpu_reset", LogItem::CpuReset, "CPU registers before a reset"},
    ItemName{"fpu", LogItem::Fpu,
             "x87 and vector registers, too, where cpu and int show registers"},
    ItemName{"nochain", LogItem::NoChain, "accepted: exec shows every block anyway"},
    ItemName{"mmu", LogItem::Mmu, "page walks that succeed"},
    ItemName{"trace", LogItem::Trace, "trace:PATTERN switches trace events on"},
};

/// Standard error, where lines go at once, so that none is lost when the program crashes. Regular
/// files take all there is; for readers of pipes and terminals what LogFile promises holds.
class Sink {
 public:
  explicit Sink(int fd) : fd_(fd) {}

  void write(std::string_view text) {
    if (!send(text)) {
      ++lost_;
      return;
    }
    if (const u64 lost = std::exchange(lost_, 0); lost != 0)
      send(fmt::format("({} messages before this one are lost: nobody read them)\n", lost));
  }

 private:
  // Small pieces: what polls as writable takes them without waiting, whatever its mode.
  static constexpr std::size_t kPiece = 512;
  static constexpr int kPatienceMs = 500;

  bool send(std::string_view text) {
    const bool regular = kind_of_file(fd_) == FileKinds::Regular;
    bool begun = false;
    while (!text.empty()) {
      if (!regular && !has_room()) {
        // A line that was cut short must not run into the next.
        torn_ |= begun;
        return false;
      }
      if (std::exchange(torn_, false)) text = prefixed(text);
      const ssize_t count =
          ::write(fd_, text.data(), regular ? text.size() : std::min(text.size(), kPiece));
      if (count < 0 && errno != EINTR && errno != EAGAIN) return false;
      if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
      begun |= count > 0;
    }
    return true;
  }

  std::string_view prefixed(std::string_view text) {
    again_ = fmt::format("\n{}", text);
    return again_;
  }

  bool has_room() {
    pollfd state{.fd = fd_, .events = POLLOUT, .revents = 0};
    // An interrupted or failed poll, and a peer that went away, are for write to find.
    stalled_ = poll(&state, 1, stalled_ ? 0 : kPatienceMs) == 0;
    return !stalled_;
  }

  int fd_;
  u64 lost_{0};
  bool stalled_{false}, torn_{false};
  std::string again_;
};

std::mutex sink_mutex;
Sink user(STDERR_FILENO);
std::unique_ptr<LogFile> log_file;
GuestMessages guest_messages;
std::string program_name = "rhea";
MessageStyle style;
std::string guest_name;

std::string timestamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z ", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / 1000);
}

// As QEMU's log has it, for programs that read those.
std::string event_time() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{}@{}.{:06}:", getpid(), now.tv_sec, now.tv_nsec / 1000);
}

void report(std::string_view kind, std::string_view text) {
  const std::lock_guard lock(sink_mutex);
  std::string line = style.timestamp ? timestamp() : "";
  if (style.guest_name && !guest_name.empty()) line += guest_name + " ";
  user.write(line + fmt::format("{}: {}{}\n", program_name, kind, text));
}

void log_locked(std::string_view text) {
  if (text.empty()) return;
  if (log_file)
    log_file->write(text);
  else
    user.write(text);
}

Result<> enable_item(std::string_view name) {
  if (name.starts_with("trace:")) return trace::enable(name.substr(6));
  bool known = false;
  for (const ItemName& item : kItems) {
    if (item.name != name && name != "all") continue;
    log_mask.fetch_or(static_cast<u32>(item.item), std::memory_order_relaxed);
    known = true;
  }
  if (known) return {};
  std::vector<std::string_view> own;
  for (const ItemName& item : kItems) own.push_back(item.name);
  return fail("{}", with_remark(fmt::format("unknown log item '{}'", name),
                                about_unknown(NameKind::LogItem, name, own)));
}

}  // namespace

std::atomic<u32> log_mask{0};

Result<> log_enable(std::string_view items) {
  while (!items.empty()) {
    const auto comma = items.find(',');
    TRY(enable_item(items.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    items.remove_prefix(comma + 1);
  }
  return {};
}

std::string log_help() {
  std::string text = "Log items (comma-separated):\n";
  for (const ItemName& item : kItems) text += fmt::format("{:<15} {}\n", item.name, item.help);
  return text + fmt::format("{:<15} {}\n", "all", "all of these but trace");
}

Result<> log_to_file(const std::string& path) {
  std::string name = path;
  if (const auto percent = name.find("%d"); percent != std::string::npos)
    name.replace(percent, 2, std::to_string(getpid()));
  FileDescriptor file = TRY(open_host_file(name, {.flags = O_WRONLY | O_CREAT | O_TRUNC}));
  auto next = std::make_unique<LogFile>(std::move(file));
  const std::lock_guard lock(sink_mutex);
  // What goes may have something to say, and so ends behind the lock.
  std::swap(next, log_file);
  return {};
}

void log_write(std::string_view text) {
  const std::lock_guard lock(sink_mutex);
  log_locked(guest_messages.settle(GuestMessages::Clock::now()));
  log_locked(text);
}

void log_event(std::string_view line) {
  const std::lock_guard lock(sink_mutex);
  log_locked(guest_messages.settle(GuestMessages::Clock::now()));
  if (style.timestamp)
    log_locked(event_time().append(line));
  else
    log_locked(line);
}

void log_of_guest(LogItem item, std::string_view device, std::string_view format,
                  fmt::format_args args) {
  using Verdict = GuestMessages::Verdict;
  const auto now = GuestMessages::Clock::now();
  const std::lock_guard lock(sink_mutex);
  log_locked(guest_messages.settle(now));
  const Verdict verdict = guest_messages.pass(device, format, now);
  if (verdict == Verdict::HoldBack) return;
  log_locked(fmt::format("{}: {}{}{}\n", device, item == LogItem::Unimp ? "unimplemented: " : "",
                         fmt::vformat(fmt::string_view(format.data(), format.size()), args),
                         verdict == Verdict::SayLast ? " (more like this is counted)" : ""));
}

void log_settle() {
  const std::lock_guard lock(sink_mutex);
  log_locked(guest_messages.settle_all());
  if (log_file) log_file->flush();
}

void report_error(std::string_view text) { report("", text); }
void report_warning(std::string_view text) { report("warning: ", text); }
void report_info(std::string_view text) { report("info: ", text); }
void set_program_name(std::string_view name) { program_name = name; }

void set_message_style(MessageStyle wanted) {
  const std::lock_guard lock(sink_mutex);
  style = wanted;
}

void set_guest_name(std::string_view name) {
  const std::lock_guard lock(sink_mutex);
  guest_name = name;
}

}  // namespace rhea
