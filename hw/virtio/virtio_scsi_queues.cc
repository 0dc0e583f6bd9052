// SPDX-License-Identifier: GPL-2.0-or-later
// What a virtio SCSI host is asked for: commands, and the management of tasks (OASIS Virtual I/O
// Device 1.2, 5.6.6).
#include "hw/scsi/scsi_device.h"
#include "hw/virtio/virtio_scsi.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace virtio_scsi;

namespace {

constexpr std::size_t kUnitBytes = 8;

u64 get_le(std::span<const u8> bytes, std::size_t at, unsigned size) {
  u64 value = 0;
  for (unsigned n = 0; n < size; ++n) value |= u64{bytes[at + n]} << (8 * n);
  return value;
}

/// What a driver calls a unit: target, and a number in one level of the peripheral or the flat
/// format (SAM-5, 4.7). nullopt for what names none.
std::optional<ScsiAddress> address_of(std::span<const u8> lun) {
  constexpr u8 kThisFormat = 1, kFlat = 0x40, kLevels = 0xc0;
  if (lun[0] != kThisFormat || get_le(lun, 4, 4) != 0) return std::nullopt;
  if (lun[2] != 0 && (lun[2] & kLevels) != kFlat) return std::nullopt;
  const u32 unit = u32{lun[2]} << 8 | lun[3];
  return ScsiAddress{.channel = 0, .target = lun[1], .unit = unit & 0x3fff};
}

}  // namespace

void VirtioScsi::serve(u16 number) {
  pending_[number] = true;
  posted_.post();
}

/// Queues whose turn does not come are looked at again.
void VirtioScsi::work() {
  const DomainGuard guard(owner_->lock_domain());
  tasks_.drop_forgotten();
  if (std::exchange(reset_bus_, false)) bus_->reset(ResetKind::Warm);
  core_->begin_turn();
  for (u16 n = 0; n < core_->queues(); ++n) {
    if (!pending_[n]) continue;
    pending_[n] = false;
    VirtQueue& queue = core_->queue(n);
    if (!core_->live())
      queue.set_kicked(queue.enabled());
    else if (core_->turn_is_over())
      core_->serve_again(n);
    else if (queue.enabled())
      n == kControlQueue ? take_controls() : n == kEventQueue ? tell_missed() : take_requests(n);
  }
}

// ---- Commands

void VirtioScsi::take_requests(u16 number) {
  VirtQueue& queue = core_->queue(number);
  const unsigned budget = queue.entries();
  unsigned taken = 0;
  const auto goes_on = [&] { return taken < budget && !core_->turn_is_over(); };
  while (goes_on() && tasks_.has_room() && queue.pop(buffer_) == Popped::One) {
    take(number);
    ++taken;
  }
  if (!tasks_.has_room())
    starved_[number] = true;
  else if (!goes_on())
    core_->serve_again(number);
}

/// A buffer that has no room for its parts breaks the queue.
void VirtioScsi::take(u16 number) {
  VirtQueue& queue = core_->queue(number);
  VirtioScsiCommand command{.buffer = buffer_,
                            .queue = number,
                            .head_bytes = kHeadBytes + cdb_bytes_,
                            .sense_bytes = sense_bytes_};
  std::vector<u8> head(command.head_bytes);
  if (!queue.read(buffer_, 0, head)) return;
  if (buffer_.in_bytes < command.before_data_in()) {
    queue.write(buffer_, 0, std::vector<u8>(command.before_data_in()));
    return;
  }
  const auto address = address_of(std::span(head).first(kUnitBytes));
  command.tag = get_le(head, kUnitBytes, 8);
  std::copy_n(head.begin() + kHeadBytes, std::min<std::size_t>(cdb_bytes_, command.cdb.size()),
              command.cdb.begin());
  core_->add_work(cdb_bytes_ / 16 + command.sense_bytes / 256);
  Response response = Response::Ok;
  if (address) {
    command.target = address->target;
    command.unit = address->unit;
  } else {
    response = Response::BadTarget;
  }
  // Both ways at once is for those who have negotiated it, and it is not offered.
  if (buffer_.out_bytes > command.head_bytes && buffer_.in_bytes > command.before_data_in())
    response = Response::Failure;
  tasks_.begin(std::move(command), response);
}

// ---- The control queue

void VirtioScsi::take_controls() {
  VirtQueue& queue = core_->queue(kControlQueue);
  const unsigned budget = queue.entries();
  unsigned taken = 0;
  const auto goes_on = [&] { return taken < budget && !core_->turn_is_over(); };
  for (; goes_on() && queue.pop(buffer_) == Popped::One; ++taken) take_control();
  if (taken != 0) core_->tell_driver(kControlQueue);
  if (!goes_on()) core_->serve_again(kControlQueue);
}

void VirtioScsi::take_control() {
  constexpr std::size_t kTypeBytes = 4, kManagementBytes = 24, kNotificationBytes = 16;
  VirtQueue& queue = core_->queue(kControlQueue);
  const VirtBuffer buffer = buffer_;
  std::array<u8, kManagementBytes> request{};
  std::array<u8, 5> answer{};  // which events there are, and the response
  std::span<const u8> shown;
  if (!queue.read(buffer, 0, std::span(request).first(kTypeBytes))) return;
  const u64 type = get_le(request, 0, 4);
  if (type == kTaskManagement) {
    if (!queue.read(buffer, 0, request)) return;
    answer[0] = static_cast<u8>(manage(request));
    shown = std::span(answer).first(1);
  } else if (type == kQuery || type == kSubscribe) {
    if (!queue.read(buffer, 0, std::span(request).first(kNotificationBytes))) return;
    answer[4] = static_cast<u8>(find(address_of(std::span(request).subspan(4, kUnitBytes))));
    shown = answer;
  } else {
    log_guest("virtio-scsi", "a control request of type {}", type);
  }
  if (!shown.empty() && !queue.write(buffer, 0, shown)) return;
  queue.push(buffer, static_cast<u32>(shown.size()));
}

/// Ok, or what is wrong with the address.
VirtioScsi::Response VirtioScsi::find(const std::optional<ScsiAddress>& at) const {
  if (!at || bus_->find_target(at->channel, at->target) == nullptr) return Response::BadTarget;
  return bus_->find(*at) != nullptr ? Response::Ok : Response::IncorrectUnit;
}

VirtioScsi::Response VirtioScsi::manage(std::span<const u8> request) {
  const auto function = static_cast<TaskFunction>(get_le(request, 4, 4));
  const auto at = address_of(request.subspan(8, kUnitBytes));
  const Response there = find(at);
  if (function == TaskFunction::NexusReset && there != Response::BadTarget) {
    reset_target(*at);
    return Response::Ok;
  }
  return there != Response::Ok ? there : manage_unit(function, *at, get_le(request, 16, 8));
}

/// SAM-5, 7. Tasks that it ends are answered before it is.
VirtioScsi::Response VirtioScsi::manage_unit(TaskFunction function, const ScsiAddress& at,
                                             u64 tag) {
  const auto of_unit = [&](const VirtioScsiCommand& command) { return command.address() == at; };
  const auto the_one = [&](const VirtioScsiCommand& command) {
    return command.address() == at && command.tag == tag;
  };
  const auto found = [&](const VirtioScsiTasks::Which& which) {
    return tasks_.any(which) ? Response::FunctionSucceeded : Response::Ok;
  };
  switch (function) {
    case TaskFunction::AbortTask: tasks_.end_all(Response::Aborted, the_one); return Response::Ok;
    case TaskFunction::AbortTaskSet:
    case TaskFunction::ClearTaskSet:
      tasks_.end_all(Response::Aborted, of_unit);
      return Response::Ok;
    case TaskFunction::UnitReset: bus_->find(at)->reset_tree(ResetKind::Warm); return Response::Ok;
    case TaskFunction::QueryTask: return found(the_one);
    case TaskFunction::QueryTaskSet: return found(of_unit);
    default: return Response::FunctionRejected;
  }
}

/// An I_T nexus: this initiator, and all units of the target.
void VirtioScsi::reset_target(const ScsiAddress& at) {
  tasks_.end_all(Response::Reset, [&at](const VirtioScsiCommand& command) {
    return command.channel == at.channel && command.target == at.target;
  });
  for (ScsiDevice* unit : bus_->units()) {
    if (unit->address().channel != at.channel || unit->address().target != at.target) continue;
    unit->reset_tree(ResetKind::Warm);
    unit->forget_attention(sense::kReset);
    unit->attention(sense::kNexusLost);
  }
}

}  // namespace rhea::hw
