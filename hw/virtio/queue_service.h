// SPDX-License-Identifier: GPL-2.0-or-later
// How a device's queues come to be served, whatever its transport: on a thread that hears eventfds,
// or in the access that notifies, and what is left then on the main loop.
#pragma once

#include "hw/virtio/doorbells.h"
#include "hw/virtio/virtio_core.h"
#include "rhea/softmmu/deferred.h"

namespace rhea::hw {

/// A member of a device with a lock domain of its own.
class QueueService {
 public:
  /// From realize(). Queues are held while the machine stands.
  void init(Device& owner, VirtioCore& core);
  /// From realize(), when the queues are there: notifications go to a thread, the one that the
  /// core has been given or their own, where the machine wants that and the host has descriptors
  /// for it; false where they do not. `ioeventfd`: the user lets them.
  Result<bool> use_thread(Device& owner, bool ioeventfd);
  /// The eventfd of a queue, when there is a thread.
  int fd(u16 number) const { return doorbells_.fd(number); }
  /// The queue is served soon. From any thread, in the domain.
  void later(u16 number);
  /// What was put off is done by nobody: the queues are others now. In the domain.
  void forget() { later_.cancel(); }
  /// The thread ends. Main thread, without the domain, when nothing leads to the eventfds any more.
  void stop() { doorbells_.stop(); }

 private:
  VirtioCore* core_{};
  Doorbells doorbells_;
  Deferred later_;
};

}  // namespace rhea::hw
