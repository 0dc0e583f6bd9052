// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/queue_service.h"

#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"
#include "softmmu/device_threads.h"

namespace rhea::hw {

void QueueService::init(Device& owner, VirtioCore& core) {
  core_ = &core;
  later_.init(owner.machine().loop(), [this] { core_->serve_kicked(); });
  owner.machine().on_run_state(
      [this, &owner](RunState state) {
        const DomainGuard held(owner.lock_domain());
        core_->hold(state != RunState::Running);
      },
      &owner);
}

bool QueueService::use_thread(Device& owner) {
  if (!owner.machine().service<DeviceThreads>().wanted) return false;
  const std::string name(owner.type().name);
  const auto made =
      doorbells_.init(owner, name, core_->queues(), [this](u16 number) { core_->notify(number); });
  if (!made)
    report_warning(
        fmt::format("{}: processors that notify it do its work: {}", name, made.error().message()));
  return made.has_value();
}

void QueueService::later(u16 number) {
  core_->queue(number).set_kicked(true);
  if (doorbells_.initialised())
    doorbells_.ring(number);
  else
    later_.schedule();
}

}  // namespace rhea::hw
