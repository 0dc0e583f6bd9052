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

Result<bool> QueueService::use_thread(Device& owner, bool ioeventfd) {
  IoThreadObject* const named = core_->io_thread();
  if (named != nullptr && !ioeventfd) return fail("ioeventfd is required for iothread");
  if (!ioeventfd || !owner.machine().service<DeviceThreads>().wanted) return false;
  const auto made =
      doorbells_.init(owner, named, core_->queues(), [this](u16 number) { core_->notify(number); });
  if (!made)
    report_warning(fmt::format("{}: processors that notify it do its work: {}", owner.type().name,
                               made.error().message()));
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
