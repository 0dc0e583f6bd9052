// SPDX-License-Identifier: GPL-2.0-or-later
// What a debugger asks (q) and sets (Q).
#include "gdbstub/hex.h"
#include "gdbstub/session_tables.h"
#include "rhea/softmmu/debugger_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace rhea::gdbstub {
namespace {

constexpr std::size_t kMaxOutput = 1 * MiB;  // of a monitor's command
constexpr std::size_t kOutputPiece = 8 * KiB;

}  // namespace

// A name that another one begins with comes behind it.
std::span<const Session::Query> Session::queries() {
  static constexpr std::array kQueries = std::to_array<Query>({
      {'q', "Supported", &Session::supported},
      {'q', "Xfer:features:read:", &Session::features},
      {'q', "fThreadInfo", &Session::first_threads},
      {'q', "sThreadInfo", &Session::more_threads},
      {'q', "ThreadExtraInfo,", &Session::thread_info},
      {'q', "Attached", &Session::attached},
      {'q', "Rcmd,", &Session::monitor_command},
      {'q', "qemu.Supported", &Session::own_queries},
      {'q', "qemu.sstepbits", &Session::step_bit_names},
      {'q', "qemu.sstep=", &Session::set_step_bits},
      {'q', "qemu.sstep", &Session::step_bits},
      {'q', "qemu.PhyMemMode", &Session::physical_memory},
      {'Q', "qemu.sstep=", &Session::set_step_bits},
      {'Q', "qemu.PhyMemMode:", &Session::set_physical_memory},
      {'Q', "StartNoAckMode", &Session::no_acknowledgements},
      {'q', "C", &Session::current_thread},
  });
  return kQueries;
}

void Session::query(Request request) {
  for (const Query& row : queries())
    if (row.letter == 'q' && request.skip(row.name)) return (this->*row.run)(request);
  reply("");
}

void Session::set_up(Request request) {
  for (const Query& row : queries())
    if (row.letter == 'Q' && request.skip(row.name)) return (this->*row.run)(request);
  reply("");
}

void Session::supported(Request request) {
  request.skip(":");
  while (!request.at_end())
    if (request.until(';') == "multiprocess+") multiprocess_ = true;
  reply(
      fmt::format("PacketSize={:x};qXfer:features:read+;vContSupported+;multiprocess+;"
                  "QStartNoAckMode+",
                  PacketReader::kLimit - 64));
}

void Session::features(Request request) {
  if (request.until(':') != "target.xml") return error(0);
  const auto range = request.pair(',');
  if (!range || !request.at_end() || range->first > description_.size()) return error(EINVAL);
  const std::string_view rest = std::string_view(description_).substr(range->first);
  // Escapes may double it.
  const std::string_view piece =
      rest.substr(0, std::min<u64>(range->second, PacketReader::kLimit / 2 - 64));
  reply(fmt::format("{}{}", piece.size() < rest.size() ? 'm' : 'l', piece));
}

void Session::first_threads(Request request) {
  next_thread_ = 0;
  more_threads(request);
}

void Session::more_threads(Request) {
  constexpr std::size_t kPerPacket = 256;
  std::string text;
  for (std::size_t n = 0; n < kPerPacket && next_thread_ < target_.cpus(); ++n)
    text += (text.empty() ? "m" : ",") + thread_text(next_thread_++);
  reply(text.empty() ? "l" : text);
}

void Session::thread_info(Request request) {
  const auto who = request.thread(target_.cpus());
  if (!who || who->which != ThreadId::Which::One) return error(EINVAL);
  const auto state = target_.state(who->cpu);
  const bool runs = state && state->mp_state == x86::MpState::Runnable;
  const bool halted = state && state->mp_state == x86::MpState::Halted;
  reply(to_hex(fmt::format("CPU#{} [{}]", who->cpu,
                           runs     ? "running"
                           : halted ? "halted "
                                    : "not started")));
}

void Session::current_thread(Request request) {
  if (!request.at_end()) return reply("");
  reply("QC" + thread_text(cpu_));
}

void Session::attached(Request) { reply("1"); }

void Session::monitor_command(Request request) {
  const auto bytes = from_hex(request.rest());
  const auto& run = machine_->service<DebuggerLink>().run_command;
  if (!run) return reply("");
  if (!bytes) return error(EINVAL);
  std::string output = run(std::string(bytes->begin(), bytes->end()));
  std::erase(output, '\r');
  if (output.size() > kMaxOutput) {
    output.resize(kMaxOutput);
    output += "\n(the rest is left out)\n";
  }
  for (std::string_view rest = output; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kOutputPiece);
    reply("O" + to_hex(piece));
    rest.remove_prefix(piece.size());
  }
  reply("OK");
}

void Session::no_acknowledgements(Request) {
  reply("OK");
  writer_.stop_acknowledging();
}

void Session::own_queries(Request) { reply("sstepbits;sstep;PhyMemMode"); }

void Session::step_bit_names(Request) {
  reply(fmt::format("ENABLE={:x},NOIRQ={:x},NOTIMER={:x}", step::kEnable, step::kNoIrq,
                    step::kNoTimer));
}

void Session::step_bits(Request request) {
  if (!request.at_end()) return reply("");
  reply(fmt::format("0x{:x}", target_.step_bits));
}

void Session::set_step_bits(Request request) {
  request.skip("0x");
  const auto bits = request.number();
  if (!bits || !request.at_end() || (*bits & ~step::kAll) != 0) return error(EINVAL);
  target_.step_bits = *bits;
  reply("OK");
}

void Session::physical_memory(Request request) {
  if (!request.at_end()) return reply("");
  reply(target_.physical ? "1" : "0");
}

void Session::set_physical_memory(Request request) {
  const auto on = request.number();
  if (!on || !request.at_end()) return error(EINVAL);
  target_.physical = *on != 0;
  reply("OK");
}

}  // namespace rhea::gdbstub
