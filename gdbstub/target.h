// SPDX-License-Identifier: GPL-2.0-or-later
// The machine as a debugger sees it: processors, memory, breakpoints, running and stopping.
#pragma once

#include "gdbstub/registers.h"
#include "rhea/softmmu/machine.h"

#include <optional>
#include <span>
#include <vector>

namespace rhea::gdbstub {

/// By the protocol's numbers.
enum class PointKind : u8 { Software, Hardware, Write, Read, Access };
inline constexpr unsigned kPointKinds = 5;

struct Point {
  PointKind kind{};
  u64 address{};  ///< linear
  u64 length{1};  ///< of watched memory, in bytes
  friend bool operator==(const Point&, const Point&) = default;
};

/// What a processor is to do.
enum class Action : u8 { Stay, Go, Step };

/// Why the machine stands.
struct Stop {
  unsigned cpu{};
  std::optional<x86::DebugStop> reason;  ///< none: nothing that was asked for
};

/// How single steps are done; the bits that gdb sets with qqemu.sstep.
namespace step {
inline constexpr u64 kEnable = 1;   ///< means nothing
inline constexpr u64 kNoIrq = 2;    ///< the stepping processor takes no interrupts
inline constexpr u64 kNoTimer = 4;  ///< virtual time stands still
inline constexpr u64 kAll = kEnable | kNoIrq | kNoTimer;
}  // namespace step

/// Everything runs on the main thread with the machine's lock held.
class Target {
 public:
  explicit Target(Machine& machine) : machine_(&machine) {}
  /// Lets go of what it has asked for. The machine stays as it is.
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  Machine& machine() const { return *machine_; }
  unsigned cpus() const { return static_cast<unsigned>(machine_->vcpus().size()); }

  /// An error while somebody loads the machine's state, or reads its memory for a dump or a
  /// snapshot: it must neither run nor change.
  Result<> may_change() const;

  // ---- Registers.
  void choose(Layout layout);
  Layout layout() const { return layout_; }
  const Registers& registers() const { return registers_; }
  Result<x86::CpuState> state(unsigned cpu) const;
  /// But for the time stamp counter, which goes on as if nobody had looked.
  Result<> set_state(unsigned cpu, x86::CpuState state) const;

  // ---- Memory, linear as a processor sees it now, or physical.
  bool physical{false};
  /// How many bytes could be read before the first that is nowhere.
  std::size_t read(unsigned cpu, u64 address, std::span<u8> to) const;
  std::size_t read_linear(unsigned cpu, u64 address, std::span<u8> to) const;
  /// Memory of all kinds, and devices. False: it ended where nothing is.
  bool write(unsigned cpu, u64 address, std::span<const u8> from) const;

  // ---- Breakpoints and watchpoints, of all processors. `cpu`: whose page tables count where that
  // makes a difference.
  Result<> insert(const Point& point, unsigned cpu);
  Result<> remove(const Point& point, unsigned cpu);
  void remove_all();

  // ---- Running.
  bool running() const { return machine_->running(); }
  /// Or will, when a dump or a snapshot that it stands for has ended.
  bool goes_on() const { return running() || machine_->run_state() == RunState::SaveVm; }
  u64 step_bits{step::kAll};
  /// One action a processor. False: only a reset would make the machine run again.
  bool run(std::span<const Action> actions);
  void stop();
  /// What run() was asked for where it had to step over a breakpoint first: gdb finds its own by
  /// $pc, which is no linear address in segments that do not begin at 0, and so does not take them
  /// away before it goes on. Asked once, with what stopped() said.
  std::optional<std::vector<Action>> rest_of_run(const std::optional<Stop>& stop);
  /// To be called once the machine stands: nobody steps or is held any more. Why it does; of
  /// several processors that stopped at once, the others are kept for take_kept_stop().
  std::optional<Stop> stopped();
  /// The debugger has gone: nothing that it asked for stays.
  void let_go();
  /// A watched access that nobody has been told of.
  std::optional<Stop> take_kept_stop();

 private:
  static constexpr std::size_t kMaxPoints = 1024;
  Result<> apply(unsigned first_cpu);
  Result<> set_stops(unsigned cpu, const x86::DebugStops& stops);
  std::vector<Action> over_breakpoint(std::span<const Action> actions);
  bool stands_hidden(const Stop& stop) const;
  void release();
  std::optional<u64> translate(unsigned cpu, u64 address) const;
  template <class Translate>
  std::size_t read_pieces(u64 address, std::span<u8> to, const Translate& translate) const;

  Machine* machine_;
  Layout layout_{};
  Registers registers_;
  std::vector<Point> points_;
  std::vector<Stop> kept_;
  std::optional<Stop> at_breakpoint_;  ///< the last stop, where it was one
  std::optional<unsigned> lifted_;     ///< the CPU that has no breakpoints for a step
  std::optional<std::vector<Action>> rest_;
};

}  // namespace rhea::gdbstub
