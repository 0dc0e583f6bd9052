// SPDX-License-Identifier: GPL-2.0-or-later
// What goes wrong with a device on purpose, for who writes its driver: the property x-fault.
//
//   drop-irq@3+fail-dma%10+seed=7
//
// Faults are joined by "+": drop-irq, delay-irq (=NANOSECONDS), fail-dma, ones (registers are all
// ones, and writes are lost) and surprise-remove (the device is as if pulled out, registers and
// configuration space, until x-fault is set anew). "@N" has it happen to the Nth interrupt,
// transfer or access alone (surprise-remove: from the Nth access on), "%P" to P in a hundred by
// chance, from "seed=N"; neither: to all.
#pragma once

#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/interrupt.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

enum class Fault : u8 { DropIrq, DelayIrq, FailDma, Ones, SurpriseRemove };

/// The faults of one device. What happens to accesses and transfers is asked on any thread, since
/// many devices are used without the machine's lock; the rest is under that.
class DeviceFaults {
 public:
  /// Takes the place of what was there; counts begin anew. Empty, or "none": nothing goes wrong.
  Result<> configure(std::string_view text);
  std::string text() const;

  /// Called from access_fails() when that pulls the device out, on any thread. Set before the first
  /// configure().
  std::function<void()> on_removal;

  /// Each is one event, which counts. Nanoseconds that an interrupt comes late; negative: never.
  i64 interrupt_delay();
  bool transfer_fails();
  bool access_fails();
  /// Whether the device has been pulled out.
  bool removed() const { return removed_.load(std::memory_order_relaxed); }

  /// Interrupts that come late, and what delivers them.
  Timer late;
  std::vector<MsiMessage> late_messages;
  void forget_late() {
    late.cancel();
    late_messages.clear();
  }
  /// Whether this interrupt is kept back, for a while (`late` is armed then) or for ever.
  bool keeps_back();
  /// Sends the messages that were kept back, and calls `line`, whose interrupt is kept back no
  /// more.
  void deliver(InterruptHub& interrupts, const std::function<void()>& line);

 private:
  struct Plan {
    bool active{false};
    u64 nth{0};           ///< 0: not by count
    unsigned percent{0};  ///< 0: not by chance
    u64 argument{0};
    u64 events{0};
  };
  using Plans = std::array<Plan, 5>;
  static Result<> parse_fault(std::string_view word, Plans& plans);
  bool happens(Fault fault);

  mutable std::mutex mutex_;  ///< a leaf; guards the next three
  std::string text_;
  Plans plans_{};
  std::mt19937_64 random_;
  std::atomic<bool> removed_{false};
  bool delivering_{false};
};

/// The faults of a machine's devices. machine.service<FaultTable>(), under the machine's lock.
/// A device's are forgotten when nobody is inside it any more: what find() gives is good as long as
/// an access or a transfer lasts.
class FaultTable final : public MachineService {
 public:
  explicit FaultTable(Machine&) {}
  ~FaultTable() override;
  FaultTable(const FaultTable&) = delete;
  FaultTable& operator=(const FaultTable&) = delete;
  /// The device's, made when there are none.
  DeviceFaults& make(const Device& device);
  void forget(const Device& device);
  /// Null for a device without. On any thread.
  static DeviceFaults* find(const Device* device) {
    // A hint for the whole process, so that nobody pays for what nearly nobody uses.
    if (used_.load(std::memory_order_relaxed) == 0) [[likely]]
      return nullptr;
    return look_up(device);
  }

 private:
  static DeviceFaults* look_up(const Device* device);

  inline static std::atomic<unsigned> used_{0};
  std::map<const Device*, std::unique_ptr<DeviceFaults>> faults_;
};

}  // namespace rhea
