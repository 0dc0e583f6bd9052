// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger's connection to a machine whose processors do what the test says.
#pragma once

#include "accel/accelerator.h"
#include "gdbstub/session.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace rhea::test {

/// A processor that runs nothing: its state is what was set, and it stops when the test wants.
/// Linear addresses below 1 MiB and the same from kHigh on are the first 1 MiB of memory.
class PuppetCpu final : public accel::VcpuBackend {
 public:
  static constexpr u64 kHigh = 0xffff'ffff'8000'0000;

  PuppetCpu();
  void run() override;
  void kick() override;
  Result<> get_state(x86::CpuState& state) override;
  Result<> set_state(const x86::CpuState& state) override;
  void reset(ResetKind) override { ++resets; }
  void inject_nmi() override {}
  std::optional<GuestPhys> translate(GuestVirt address) override;
  Result<> set_single_step(accel::SingleStep how) override;
  Result<> set_debug_stops(const x86::DebugStops& stops) override;
  std::optional<x86::DebugStop> take_debug_stop() override { return std::exchange(stop, {}); }
  accel::XsaveOffsets xsave_offsets() const override { return offsets; }

  x86::CpuState state;
  accel::XsaveOffsets offsets;
  accel::SingleStep step{};
  x86::DebugStops stops;
  std::optional<x86::DebugStop> stop;
  std::size_t most_stops{5000};  ///< with more, it fails
  unsigned resets{0};
  std::atomic<bool> runs{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool kicked_{false};
};

/// The debugger's end: what the machine sends is kept as far as there is room.
class PeerChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-peer";
  std::size_t write(std::span<const u8> data) override;
  std::string filename() const override { return "peer"; }
  void disconnect() override { disconnected = true; }
  void come() { deliver(ChardevEvent::Opened); }
  void go() { deliver(ChardevEvent::Closed); }
  /// As much as the machine takes; how much that was.
  std::size_t say(std::string_view text);
  std::size_t takes() { return front_end().can_receive(); }
  /// The peer has read everything.
  std::string read();

  std::size_t room{~std::size_t{0}};  ///< bytes that may lie unread
  bool disconnected{false};

 private:
  std::string unread_;
};

/// "$text#cs"
std::string packet(std::string_view text);

class DebugBench : public testing::Test {
 protected:
  explicit DebugBench(unsigned cpus = 2);
  ~DebugBench() override;

  Machine& machine() { return bench_.machine(); }
  PuppetCpu& cpu(unsigned index = 0);
  PeerChardev& peer() { return *peer_; }
  gdbstub::Session& session() { return *session_; }
  /// What the machine sends in answer to these bytes.
  std::string talk(std::string_view bytes);
  /// The text of the one packet that answers this one; what else came is a failure.
  std::string ask(std::string_view text);
  /// The texts of all packets that have come since.
  std::vector<std::string> heard();
  void turn(int times = 20);
  /// A processor stops for the debugger.
  void stop(unsigned index, const x86::DebugStop& why);
  /// A new connection, which ends the old one.
  void reconnect();

  Bench bench_{1 * MiB};
  std::optional<gdbstub::Layout> layout_;
  PeerChardev* peer_{};
  std::unique_ptr<gdbstub::Session> session_;
};

}  // namespace rhea::test
