// SPDX-License-Identifier: GPL-2.0-or-later
// How threads that belong to no device call into one that has a lock of its own.
#pragma once

#include "rhea/qom/device.h"

#include <functional>
#include <memory>
#include <mutex>

namespace rhea {

/// The way of other threads into a device that has a lock domain of its own. A member of it: when
/// the device is unrealized it waits for whoever is inside, and from then on nobody gets in.
class DomainEntry final : public ObjectMember {
 public:
  /// What other threads keep, as long as they like.
  class Gate {
   public:
    explicit Gate(LockDomain& domain) : domain_(&domain) {}
    /// Does `work` in the device's domain; false when the device has gone. From any thread that
    /// holds no device's domain; `work` does not wait for the machine's lock.
    bool enter(const std::function<void()>& work);

   private:
    friend class DomainEntry;
    std::mutex mutex_;
    LockDomain* domain_;
  };

  DomainEntry() = default;
  ~DomainEntry() override { end(); }

  /// From the device's realize().
  void init(const Device& owner);
  const std::shared_ptr<Gate>& gate() const { return gate_; }
  /// Ends sooner than the device: waits for whoever is inside, then nobody gets in. Main thread,
  /// without the domain.
  void close() { end(); }

 protected:
  void end() override;

 private:
  std::shared_ptr<Gate> gate_;
};

}  // namespace rhea
