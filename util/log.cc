// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/log.h"

#include "rhea/util/trace.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <mutex>

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
    ItemName{"exec", LogItem::Exec, "each block of guest code run"},
    ItemName{"cpu", LogItem::Cpu, "CPU registers before each block"},
    ItemName{"cpu_reset", LogItem::CpuReset, "CPU registers before a reset"},
    ItemName{"fpu", LogItem::Fpu,
             "x87 and vector registers, too, where cpu and int show registers"},
    ItemName{"nochain", LogItem::NoChain, "accepted: exec shows every block anyway"},
    ItemName{"mmu", LogItem::Mmu, "page walks that succeed"},
    ItemName{"trace", LogItem::Trace, "trace:PATTERN switches trace events on"},
};

std::mutex sink_mutex;
std::FILE* sink = stderr;
std::string program_name = "rhea";

void report(std::string_view kind, std::string_view text) {
  const std::string line = fmt::format("{}: {}{}\n", program_name, kind, text);
  const std::lock_guard lock(sink_mutex);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Result<> enable_item(std::string_view name) {
  if (name.starts_with("trace:")) return trace::enable(name.substr(6));
  for (const ItemName& item : kItems) {
    if (item.name != name) continue;
    log_mask.fetch_or(static_cast<u32>(item.item), std::memory_order_relaxed);
    return {};
  }
  return fail("-d: unknown log item '{}'; -d help lists them", name);
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
  return text;
}

Result<> log_to_file(const std::string& path) {
  std::string name = path;
  if (const auto percent = name.find("%d"); percent != std::string::npos)
    name.replace(percent, 2, std::to_string(getpid()));
  std::FILE* file = std::fopen(name.c_str(), "we");
  if (file == nullptr) return fail("-D {}: {}", name, errno_text(errno));
  const std::lock_guard lock(sink_mutex);
  if (sink != stderr) std::fclose(sink);
  sink = file;
  return {};
}

void log_write(std::string_view text) {
  const std::lock_guard lock(sink_mutex);
  std::fwrite(text.data(), 1, text.size(), sink);
  std::fflush(sink);
}

void report_error(std::string_view text) { report("", text); }
void report_warning(std::string_view text) { report("warning: ", text); }
void report_info(std::string_view text) { report("info: ", text); }
void set_program_name(std::string_view name) { program_name = name; }

}  // namespace rhea
