// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_IOEVENTFD.
#include "accel/kvm/event_fds.h"

#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"

namespace rhea::kvm {

void EventFds::eventfd_add(u64 address, const IoEventFd& eventfd) {
  const bool done = eventfd.size == 0 ? assign_any_size(address, eventfd, true)
                                      : assign(address, eventfd, eventfd.size, true);
  if (!done)
    vm_->warn_once("ioeventfd",
                   fmt::format("KVM refuses the eventfd at {} {:#x}: its writes leave the guest",
                               space_ == Space::Ports ? "port" : "address", address));
}

void EventFds::eventfd_del(u64 address, const IoEventFd& eventfd) {
  if (eventfd.size == 0)
    assign_any_size(address, eventfd, false);
  else
    assign(address, eventfd, eventfd.size, false);
}

// A length of 0 takes writes of every size, and lets the kernel skip decoding the instruction
// ("fast MMIO"). Kernels without it get one eventfd for each size.
bool EventFds::assign_any_size(u64 address, const IoEventFd& eventfd, bool on) {
  if (vm_->extension(KVM_CAP_IOEVENTFD_ANY_LENGTH) != 0 && !eventfd.match)
    return assign(address, eventfd, 0, on);
  bool done = true;
  for (const unsigned size : {1U, 2U, 4U, 8U})
    if (size < 8 || space_ == Space::Memory) done = assign(address, eventfd, size, on) && done;
  return done;
}

bool EventFds::assign(u64 address, const IoEventFd& eventfd, unsigned size, bool on) {
  kvm_ioeventfd request{};
  request.addr = address;
  request.len = size;
  request.fd = eventfd.fd;
  if (eventfd.match) {
    request.datamatch = eventfd.value;
    request.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
  }
  if (space_ == Space::Ports) request.flags |= KVM_IOEVENTFD_FLAG_PIO;
  if (!on) request.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
  const int result = call(vm_->fd(), KVM_IOEVENTFD, &request);
  kvm_ioeventfd_call(space_ == Space::Ports, address, eventfd.fd, on, result);
  return result >= 0;
}

}  // namespace rhea::kvm
