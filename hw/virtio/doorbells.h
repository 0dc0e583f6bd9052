// SPDX-License-Identifier: GPL-2.0-or-later
// Notifications of a driver by eventfds: the processor that notifies goes on at once, and an I/O
// thread does the work.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/softmmu/domain_entry.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/io_thread.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rhea {
class IoThreadObject;
}  // namespace rhea

namespace rhea::hw {

/// One for each queue of a device with a lock of its own, of which it is a member, and the thread
/// that hears them.
class Doorbells final : public ObjectMember {
 public:
  Doorbells() = default;
  ~Doorbells() override { stop(); }

  /// From realize(), without the domain. `rung` is called in it, on `shared`, or on a thread of
  /// their own. Fails, with nothing left, where the host has no descriptors for them.
  Result<> init(Device& owner, IoThreadObject* shared, unsigned count,
                std::function<void(u16)> rung);
  bool initialised() const { return !bells_.empty(); }
  /// The eventfd, for Region::add_eventfd().
  int fd(u16 number) const { return bells_[number].file.get(); }
  /// As the driver does it. From any thread.
  void ring(u16 number) const;
  /// Nobody hears them any more. Main thread, without the domain.
  void stop();

 protected:
  void end() override { stop(); }
  /// What was rung and not heard yet is heard now.
  void settle() override;

 private:
  struct Bell {
    FileDescriptor file;
    EventLoop::Watch watch;
  };
  Result<> make(unsigned count);
  void watch(EventLoop& loop);
  void hear(u16 number);

  std::function<void(u16)> rung_;
  std::vector<Bell> bells_;
  DomainEntry entry_;  ///< of a thread that is others', too
  /// Their own. The machine ends it as well.
  std::shared_ptr<std::unique_ptr<IoThread>> thread_ =
      std::make_shared<std::unique_ptr<IoThread>>();
};

}  // namespace rhea::hw
