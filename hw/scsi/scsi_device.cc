// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/scsi/scsi_device.h"

#include "hw/scsi/scsi_commands.h"
#include "hw/scsi/trace_events.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::hw {

namespace {

/// They do what they do whatever there is to tell (SPC-4, 5.14; MMC-6, 4.1.7).
bool passes_attentions(u8 opcode) {
  constexpr std::array kPass{scsi::kInquiry, scsi::kReportLuns, scsi::kRequestSense,
                             scsi::kGetConfiguration, scsi::kGetEventStatus};
  return std::ranges::find(kPass, opcode) != kPass.end();
}

/// CONTROL, the last byte of a command, whose length its first one tells (SPC-4, 4.2.5, 4.3).
u8 control_of(const ScsiTask& task) {
  switch (task.opcode() >> 5) {
    case 0: return task.cdb[5];
    case 1:
    case 2: return task.cdb[9];
    case 4: return task.cdb[15];
    case 5: return task.cdb[11];
    default: return 0;
  }
}

}  // namespace

void ScsiDevice::describe(Schema<ScsiDevice>& s) {
  s.property("channel", &ScsiDevice::channel_, u32{0}).help("channel of the adapter");
  s.property("scsi-id", &ScsiDevice::target_, ScsiDevice::kAnywhere)
      .help("target; all ones: a free one");
  s.property("lun", &ScsiDevice::unit_, ScsiDevice::kAnywhere)
      .help("logical unit of the target; all ones: a free one");
  s.state("attentions", &ScsiDevice::attentions_).range(0, ScsiDevice::kMostAttentions);
}

void ScsiDevice::set_address(const ScsiAddress& address) {
  address_ = address;
  channel_ = address.channel;
  target_ = address.target;
  unit_ = address.unit;
}

std::string ScsiDevice::firmware_name() const {
  return fmt::format("channel@{:x}/disk@{:x},{:x}", address_.channel, address_.target,
                     address_.unit);
}

Result<> ScsiDevice::realize() {
  on_unrealize([this] {
    host().unit_removed(*this);
    scsi_bus().tell_others(sense::kUnitsChanged, *this);
  });
  host().unit_added(*this);
  scsi_bus().tell_others(sense::kUnitsChanged, *this);
  return {};
}

void ScsiDevice::reset(ResetKind) {
  if (parent_bus() != nullptr) host().unit_reset(*this);
  attentions_.assign(1, sense::kReset);
}

void ScsiDevice::submit(const SharedScsiTask& task) {
  constexpr u8 kNeedsAca = 0x04;
  if (scsi_command.enabled()) scsi_command(*this, fmt::format("{:02x}", fmt::join(task->cdb, " ")));
  if ((control_of(*task) & kNeedsAca) != 0) return task->refuse(sense::kBadField);
  if (!task->admitted) {
    task->admitted = true;
    if (!attentions_.empty() && !passes_attentions(task->opcode()))
      return task->refuse(take_attention());
  }
  execute(task);
}

ScsiSense ScsiDevice::take_attention() {
  if (attentions_.empty()) return sense::kNone;
  const ScsiSense first = attentions_.front();
  attentions_.erase(attentions_.begin());
  return first;
}

void ScsiDevice::attention(const ScsiSense& sense) {
  if (std::ranges::find(attentions_, sense) != attentions_.end()) return;
  if (attentions_.size() < kMostAttentions) attentions_.push_back(sense);
}

void ScsiDevice::forget_attention(const ScsiSense& sense) { std::erase(attentions_, sense); }

namespace {
const RegisterAbstractType<ScsiDevice, Device> registration;
}  // namespace

}  // namespace rhea::hw
