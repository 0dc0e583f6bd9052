// SPDX-License-Identifier: GPL-2.0-or-later
// What Rhea tells its user (report_*), what it logs of the guest (-d ITEMS), and where it goes (-D
// FILE). The sink is the one process-wide thing: set once by the command line, thread-safe
// afterwards.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>

namespace rhea {

/// Items of QEMU's -d, one bit each.
enum class LogItem : u32 {
  GuestErrors = 1u << 0,
  Unimp = 1u << 1,
  Int = 1u << 2,
  InAsm = 1u << 3,
  Exec = 1u << 4,
  Cpu = 1u << 5,
  CpuReset = 1u << 6,
  Mmu = 1u << 7,
  Trace = 1u << 8,
  Fpu = 1u << 9,
  NoChain = 1u << 10,
  OutAsm = 1u << 11,
};

extern std::atomic<u32> log_mask;

inline bool log_enabled(LogItem item) {
  return (log_mask.load(std::memory_order_relaxed) & static_cast<u32>(item)) != 0;
}

/// Comma-separated item names as -d takes them ("trace:PATTERN" enables trace events).
Result<> log_enable(std::string_view items);
/// The list that `-d help` prints.
std::string log_help();
/// Sends the log to `path` ("%d" becomes the process id) instead of standard error.
Result<> log_to_file(const std::string& path);
/// Writes raw text to the log.
void log_write(std::string_view text);
/// Writes a line of a trace: after "PID@SECONDS.MICROSECONDS:" under -msg timestamp=on.
void log_event(std::string_view line);
/// Tells how many messages of the guest were held back and not yet told of: at the program's end.
void log_settle();

/// Writes "device: message" if its item is on. A guest can cause these as fast as it runs: of each
/// device and `format` (its address, so it outlives the program) a few a second are written, the
/// others counted; the next line of the log is preceded by how many they were.
void log_of_guest(LogItem item, std::string_view device, std::string_view format,
                  fmt::format_args args);

/// The guest did something its hardware leaves undefined: shown under -d guest_errors, else free.
template <class... Args>
void log_guest(std::string_view device, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogItem::GuestErrors)) [[unlikely]] {
    const fmt::string_view text = format;
    log_of_guest(LogItem::GuestErrors, device, {text.data(), text.size()},
                 fmt::make_format_args(args...));
  }
}

/// The guest used something of the real hardware that Rhea lacks: shown under -d unimp.
template <class... Args>
void log_unimplemented(std::string_view device, fmt::format_string<Args...> format,
                       Args&&... args) {
  if (log_enabled(LogItem::Unimp)) [[unlikely]] {
    const fmt::string_view text = format;
    log_of_guest(LogItem::Unimp, device, {text.data(), text.size()},
                 fmt::make_format_args(args...));
  }
}

/// One line on standard error, after "rhea: " (the name the program was started under) and what
/// -msg puts before it.
void report_error(std::string_view text);
void report_warning(std::string_view text);
void report_info(std::string_view text);
void set_program_name(std::string_view name);

/// -msg: what stands before each line that is reported.
struct MessageStyle {
  bool timestamp{false};   ///< the time, as ISO 8601 has it, in UTC
  bool guest_name{false};  ///< the guest's name, once it has one
};
void set_message_style(MessageStyle style);
void set_guest_name(std::string_view name);

}  // namespace rhea
