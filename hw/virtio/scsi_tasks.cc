// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/scsi_tasks.h"

#include "hw/scsi/scsi_device.h"
#include "hw/scsi/trace_events.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace virtio_scsi;

namespace {

void put_le(std::span<u8> bytes, std::size_t at, u64 value, unsigned size) {
  for (unsigned n = 0; n < size; ++n) bytes[at + n] = static_cast<u8>(value >> (8 * n));
}

u64 beyond(u64 bytes, u64 start) { return bytes > start ? bytes - start : 0; }

}  // namespace

void VirtioScsiCommand::describe(StateFields<VirtioScsiCommand>& s) {
  using C = VirtioScsiCommand;
  s.state("buffer", &C::buffer);
  s.state("queue", &C::queue);
  s.state("tag", &C::tag);
  s.state("head-bytes", &C::head_bytes);
  s.state("sense-bytes", &C::sense_bytes);
  s.state("channel", &C::channel);
  s.state("target", &C::target);
  s.state("unit", &C::unit);
  s.state("cdb", &C::cdb);
  s.state("admitted", &C::admitted);
}

/// One of them, as its unit sees it. Units call under the machine's lock alone.
class VirtioScsiTasks::Task final : public ScsiTask {
 public:
  Task(VirtioScsiTasks& tasks, VirtioScsiCommand of) : command(std::move(of)), tasks_(&tasks) {
    address = command.address();
    cdb = command.cdb;
    admitted = command.admitted;
    out_bytes = beyond(command.buffer.out_bytes, command.head_bytes);
    in_bytes = beyond(command.buffer.in_bytes, command.before_data_in());
  }

  bool fetch(u64 at, std::span<u8> data) override {
    const DomainGuard guard(tasks_->owner_->lock_domain());
    return !over && command.buffer.out.from_guest(tasks_->core_->memory(), command.head_bytes + at,
                                                  data) == MemResult::Ok;
  }
  bool give(u64 at, std::span<const u8> data) override {
    const DomainGuard guard(tasks_->owner_->lock_domain());
    return !over &&
           command.buffer.in.to_guest(tasks_->core_->memory(), command.before_data_in() + at,
                                      data) == MemResult::Ok;
  }
  void end(const ScsiEnding& ending) override {
    const DomainGuard guard(tasks_->owner_->lock_domain());
    tasks_->ended(*this, ending);
  }

  VirtioScsiCommand command;
  bool loaded{false};  ///< and not begun yet
  bool over{false};    ///< nobody hears of it

 private:
  VirtioScsiTasks* tasks_;
};

void VirtioScsiTasks::init(Device& owner, VirtioCore& core, ScsiBus& bus,
                           std::function<void()> room) {
  owner_ = &owner;
  core_ = &core;
  bus_ = &bus;
  room_ = std::move(room);
}

VirtioScsiTasks::Shared VirtioScsiTasks::make(VirtioScsiCommand command) {
  auto task = std::make_shared<Task>(*this, std::move(command));
  all_.push_back(task);
  return task;
}

void VirtioScsiTasks::begin(VirtioScsiCommand command, Response response) {
  const Shared task = make(std::move(command));
  if (response == Response::Ok) return submit(task);
  std::erase(all_, task);
  answer(*task, response, {});
}

void VirtioScsiTasks::submit(const Shared& task) {
  if (bus_->submit(task)) return;
  std::erase(all_, task);
  answer(*task, Response::BadTarget, {});
}

void VirtioScsiTasks::begin_loaded() {
  const std::vector<Shared> now = all_;
  for (const Shared& task : now)
    if (!task->over && std::exchange(task->loaded, false)) submit(task);
}

bool VirtioScsiTasks::any(const Which& which) const {
  return std::ranges::any_of(all_, [&](const Shared& task) { return which(task->command); });
}

void VirtioScsiTasks::end_all(Response response, const Which& which) {
  std::vector<Shared> found;
  std::ranges::copy_if(all_, std::back_inserter(found),
                       [&](const Shared& task) { return which(task->command); });
  for (const Shared& task : found) {
    drop(task);
    std::erase(all_, task);
    answer(*task, response, {});
  }
  if (!found.empty()) room_();
}

void VirtioScsiTasks::drop(const Shared& task) {
  if (ScsiDevice* const unit = bus_->find(task->address)) unit->drop(*task);
}

void VirtioScsiTasks::forget(const Which& which) {
  std::erase_if(all_, [&](const Shared& task) {
    if (!which(task->command)) return false;
    task->over = true;
    forgotten_.push_back(task);
    return true;
  });
}

void VirtioScsiTasks::drop_forgotten() {
  if (forgotten_.empty()) return;
  for (const Shared& task : std::exchange(forgotten_, {})) drop(task);
  room_();
}

// ---- Answers

void VirtioScsiTasks::ended(Task& task, const ScsiEnding& ending) {
  if (std::exchange(task.over, true)) return;
  std::erase_if(all_, [&](const Shared& one) { return one.get() == &task; });
  using Delivery = ScsiEnding::Delivery;
  const Response response = ending.delivery == Delivery::Complete  ? Response::Ok
                            : ending.delivery == Delivery::Overrun ? Response::Overrun
                                                                   : Response::Failure;
  answer(task, response, ending);
  room_();
}

/// Status and sense data stand in front of what was read (5.6.6.1).
void VirtioScsiTasks::answer(Task& task, Response response, const ScsiEnding& ending) {
  task.over = true;
  const VirtioScsiCommand& command = task.command;
  const bool sense = ending.status == ScsiStatus::CheckCondition;
  if (sense && scsi_sense.enabled())
    scsi_sense(*owner_, ending.sense.key, ending.sense.code, ending.sense.qualifier);
  std::vector<u8> data(command.before_data_in());
  const auto fixed = fixed_sense(ending.sense);
  const u64 shown = sense ? std::min<u64>(fixed.size(), command.sense_bytes) : 0;
  const u64 all = task.out_bytes + task.in_bytes;
  put_le(data, 0, shown, 4);
  put_le(data, 4, std::min<u64>(all - std::min(all, ending.moved), ~u32{0}), 4);
  data[10] = static_cast<u8>(ending.status);
  data[11] = static_cast<u8>(response);
  std::copy_n(fixed.begin(), shown, data.begin() + kResponseBytes);
  VirtQueue& queue = core_->queue(command.queue);
  if (!queue.write(command.buffer, 0, data)) return;
  const u64 read = task.in_bytes != 0 ? ending.moved : 0;
  queue.push(command.buffer, static_cast<u32>(data.size() + read));
  core_->tell_driver(command.queue);
}

// ---- State

Result<> VirtioScsiTasks::check_loaded() const {
  std::vector<u32> slots(core_->queues());
  for (const Shared& task : all_) {
    const VirtioScsiCommand& command = task->command;
    if (command.queue >= core_->queues() || command.buffer.slots == 0 ||
        (slots[command.queue] += command.buffer.slots) > core_->queue(command.queue).in_use())
      return fail("a command of queue {} that was not taken from it", command.queue);
    if (command.head_bytes > command.buffer.out_bytes ||
        command.before_data_in() > command.buffer.in_bytes)
      return fail("a command whose buffer has no room for its answer");
  }
  return {};
}

}  // namespace rhea::hw

namespace rhea {

void StateCodec<hw::VirtioScsiTasks>::save(const hw::VirtioScsiTasks& tasks, StateWriter& out) {
  out.number(tasks.all_.size(), 4);
  for (const auto& task : tasks.all_) {
    hw::VirtioScsiCommand command = task->command;
    command.admitted = task->admitted;
    StateCodec<hw::VirtioScsiCommand>::save(command, out);
  }
}

Result<> StateCodec<hw::VirtioScsiTasks>::load(hw::VirtioScsiTasks& tasks, StateReader& in,
                                               const StateField& field) {
  const u64 count = TRY(in.number(4));
  if (count > hw::VirtioScsiTasks::kMost)
    return fail("state field '{}' has too many commands: {}", field.name, count);
  // Of queues whose own state is loaded nobody asks for more.
  tasks.forget([](const auto&) { return true; });
  for (const auto& task : std::exchange(tasks.forgotten_, {})) tasks.drop(task);
  for (u64 n = 0; n < count; ++n) {
    hw::VirtioScsiCommand command;
    TRY(StateCodec<hw::VirtioScsiCommand>::load(command, in, field));
    tasks.make(std::move(command))->loaded = true;
  }
  return {};
}

}  // namespace rhea
