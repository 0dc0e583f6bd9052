// SPDX-License-Identifier: GPL-2.0-or-later
// What tests of interrupts into KVM guests have in common.
#pragma once

#include "tests/accel/guest.h"

#include <sys/eventfd.h>

namespace rhea::test {

constexpr u64 kLapic = 0xfee00000;
constexpr u32 kLint1 = 0x360;

/// The guest halts with interrupts on until one comes.
inline void sleep_once(Guest& guest) { guest.order({4}); }

/// The kernel's controllers with the devices that a board would make.
class KvmInterrupts : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
  static Device& add(Guest& guest, std::string_view type) {
    const DomainGuard guard(&guest.machine().lock());
    auto device = guest.machine().add_device(std::move(*guest.machine().make(type)), nullptr);
    EXPECT_TRUE(device) << device.error().message();
    return **device;
  }
  static void set(Guest& guest, const Irq& irq, bool level) {
    const DomainGuard guard(&guest.machine().lock());
    irq.set(level);
  }
  /// A flat guest whose local APIC is on, as a firmware leaves it.
  static void start_with_apic(Guest& guest) {
    guest.start_puppet();
    guest.order_and_wait({2, static_cast<u32>(kLapic + 0xf0), 0x1ff});
  }
};

/// An eventfd that closes itself.
class EventFd {
 public:
  EventFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  int fd() const { return fd_.get(); }
  void signal() const { eventfd_write(fd_.get(), 1); }
  u64 take() const {
    eventfd_t value = 0;
    return eventfd_read(fd_.get(), &value) == 0 ? value : 0;
  }

 private:
  FileDescriptor fd_;
};

inline void nmi(Guest& guest) {
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().vcpus()[0]->run_on([&] { guest.vcpu().inject_nmi(); });
}

}  // namespace rhea::test
