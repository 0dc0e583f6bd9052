// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/scsi/scsi_bus.h"

#include "hw/scsi/big_endian.h"
#include "hw/scsi/scsi_commands.h"
#include "hw/scsi/scsi_device.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhea::hw {

namespace {

constexpr u32 kAnywhere = ScsiDevice::kAnywhere;

const RegisterType<ScsiBus, Bus> registration;

}  // namespace

// ---- Who is where

ScsiDevice* ScsiBus::find(const ScsiAddress& address) const {
  for (Device* device : devices())
    if (auto* unit = static_cast<ScsiDevice*>(device); unit->address() == address) return unit;
  return nullptr;
}

ScsiDevice* ScsiBus::find_target(u32 channel, u32 target) const {
  for (Device* device : devices()) {
    auto* const unit = static_cast<ScsiDevice*>(device);
    if (unit->address().channel == channel && unit->address().target == target) return unit;
  }
  return nullptr;
}

std::vector<ScsiDevice*> ScsiBus::units() const {
  std::vector<ScsiDevice*> found;
  for (Device* device : devices()) found.push_back(static_cast<ScsiDevice*>(device));
  return found;
}

Result<> ScsiBus::assign_slot(Device& device) { return choose(static_cast<ScsiDevice&>(device)); }

Result<> ScsiBus::choose(ScsiDevice& device) const {
  ScsiAddress wanted = device.wanted();
  if (wanted.channel > last_.channel) return fail("bad scsi channel id: {}", wanted.channel);
  if (wanted.target != kAnywhere && wanted.target > last_.target)
    return fail("bad scsi device id: {}", wanted.target);
  if (wanted.unit != kAnywhere && wanted.unit > last_.unit)
    return fail("bad scsi device lun: {}", wanted.unit);
  if (wanted.target == kAnywhere) {
    if (wanted.unit == kAnywhere) wanted.unit = 0;
    for (wanted.target = 0; find(wanted) != nullptr; ++wanted.target)
      if (wanted.target == last_.target) return fail("no free target");
  } else if (wanted.unit == kAnywhere) {
    for (wanted.unit = 0; find(wanted) != nullptr; ++wanted.unit)
      if (wanted.unit == last_.unit) return fail("no free lun");
  } else if (const ScsiDevice* other = find(wanted)) {
    return fail("lun already used by '{}'", other->id().empty() ? other->path() : other->id());
  }
  device.set_address(wanted);
  return {};
}

void ScsiBus::tell_others(const ScsiSense& attention, const ScsiDevice& than) {
  const ScsiAddress& there = than.address();
  for (ScsiDevice* unit : units())
    if (unit != &than && unit->address().channel == there.channel &&
        unit->address().target == there.target)
      unit->attention(attention);
}

void ScsiBus::resumed() {
  for (ScsiDevice* unit : units()) unit->resumed();
}

// ---- Tasks

bool ScsiBus::submit(const SharedScsiTask& task) {
  const ScsiAddress& address = task->address;
  ScsiDevice* const unit = find(address);
  if (unit != nullptr && task->opcode() != scsi::kReportLuns)
    unit->submit(task);
  else if (find_target(address.channel, address.target) != nullptr)
    answer_for_target(*task);
  else
    return false;
  return true;
}

/// For units that there are not (SPC-4, 6.6.1, 6.39), and of all that there are.
void ScsiBus::answer_for_target(ScsiTask& task) {
  constexpr u8 kNotHere = 0x7f;  // no such unit, of no type
  switch (task.opcode()) {
    case scsi::kReportLuns: return report_units(task);
    case scsi::kInquiry: {
      if ((task.cdb[1] & 1) != 0 || task.cdb[2] != 0) return task.refuse(sense::kBadField);
      std::array<u8, 36> data{kNotHere, 0, 5, 2, 31};
      return task.reply(data, task.field(3, 2));
    }
    case scsi::kRequestSense: return task.reply(fixed_sense(sense::kNoUnit), task.cdb[4]);
    default: return task.refuse(sense::kNoUnit);
  }
}

/// REPORT LUNS (SPC-4, 6.33). Number 0 is always among them.
void ScsiBus::report_units(ScsiTask& task) {
  constexpr u8 kWellKnownAlone = 1, kAll = 2;
  constexpr u64 kLeast = 16;
  constexpr u32 kPeripheral = 256;  // so many have the short form of address
  constexpr u64 kFlat = 0x4000;
  const u8 which = task.cdb[2];
  const u64 allocated = task.field(6, 4);
  if (which > kAll || allocated < kLeast) return task.refuse(sense::kBadField);
  std::vector<u32> numbers{0};
  for (ScsiDevice* unit : units()) {
    const ScsiAddress& there = unit->address();
    if (there.channel != task.address.channel || there.target != task.address.target) continue;
    if (there.unit != 0) numbers.push_back(there.unit);
    if (there == task.address) unit->forget_attention(sense::kUnitsChanged);
  }
  if (which == kWellKnownAlone) numbers.clear();
  std::ranges::sort(numbers);
  std::vector<u8> data(8 + 8 * numbers.size());
  put_be(data, 0, 8 * numbers.size(), 4);
  for (std::size_t n = 0; n < numbers.size(); ++n)
    put_be(data, 8 + 8 * n, numbers[n] < kPeripheral ? numbers[n] : kFlat | numbers[n], 2);
  task.reply(data, allocated);
}

}  // namespace rhea::hw
