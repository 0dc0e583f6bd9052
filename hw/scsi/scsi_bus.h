// SPDX-License-Identifier: GPL-2.0-or-later
// The bus between an adapter and its logical units.
#pragma once

#include "hw/scsi/scsi_task.h"
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

namespace rhea::hw {

class ScsiDevice;

/// What an adapter does for the units on its bus. Under the machine's lock.
class ScsiHost {
 public:
  /// While the machine stands no work is begun.
  virtual bool held() const = 0;
  virtual void unit_added(ScsiDevice& unit) = 0;
  /// Its tasks are ended.
  virtual void unit_removed(ScsiDevice& unit) = 0;
  virtual void unit_reset(ScsiDevice& unit) = 0;
  /// Something of its parameters is another now.
  virtual void unit_changed(ScsiDevice& unit, const ScsiSense& what) = 0;

 protected:
  ~ScsiHost() = default;
};

/// Logical units by channel, target and number. State: none.
class ScsiBus final : public Bus {
 public:
  static constexpr std::string_view kName = "SCSI";
  static void describe(Schema<ScsiBus>&) {}
  std::string_view kind() const override { return "SCSI"; }
  bool hot_pluggable() const override { return true; }

  /// The adapter, which outlives it, and the highest address there may be.
  void init(ScsiHost& host, const ScsiAddress& last) {
    host_ = &host;
    last_ = last;
  }
  ScsiHost& host() const { return *host_; }
  /// Null when there is none.
  ScsiDevice* find(const ScsiAddress& address) const;
  /// Any unit of the target.
  ScsiDevice* find_target(u32 channel, u32 target) const;
  /// All of them, in the order in which they came.
  std::vector<ScsiDevice*> units() const;
  /// Begins a task; false, and the task stands, where there is no such target.
  bool submit(const SharedScsiTask& task);
  /// The other units of the target will tell of it.
  void tell_others(const ScsiSense& attention, const ScsiDevice& than);
  /// The machine goes on.
  void resumed();

 protected:
  Result<> assign_slot(Device& device) override;

 private:
  Result<> choose(ScsiDevice& device) const;
  void answer_for_target(ScsiTask& task);
  void report_units(ScsiTask& task);

  ScsiHost* host_{};
  ScsiAddress last_;
};

}  // namespace rhea::hw
