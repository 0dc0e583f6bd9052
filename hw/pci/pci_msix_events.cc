// SPDX-License-Identifier: GPL-2.0-or-later
// MSI-X messages that eventfds send: by the accelerator where nothing stands in the way, else read
// by the main loop.
#include "rhea/hw/pci.h"
#include "rhea/util/event_fd.h"
#include "softmmu/device_faults.h"

namespace rhea {
namespace {

/// Each route that comes, goes or changes has the accelerator take its whole table anew, under the
/// machine's lock, as often as the guest likes.
constexpr unsigned kMostDirect = 64;

}  // namespace

void PciDevice::route_msix(unsigned vector, int fd) {
  RHEA_ASSERT(vector < msix_vectors());
  unroute_msix(vector);
  Msix::Event& event = msix_.events[vector];
  event.fd = fd;
  update_msix_event(vector, event);
}

void PciDevice::unroute_msix(unsigned vector) {
  const auto found = msix_.events.find(vector);
  if (found == msix_.events.end()) return;
  const Msix::Event& event = found->second;
  if (event.route) machine().interrupts.routes->remove(*event.route, event.fd);
  msix_.events.erase(found);
}

// Called for every change of what decides.
void PciDevice::update_msix_event(unsigned vector, Msix::Event& event) {
  MessageRoutes* const routes = machine().interrupts.routes;
  // Faults are for the messages that pass through here.
  const bool direct = routes != nullptr && vector < kMostDirect && msix_goes_out(vector) &&
                      FaultTable::find(this) == nullptr;
  const MsiMessage message = msix_message(vector);
  if (direct && event.route) {
    if (message != event.routed) routes->change(*event.route, message);
    event.routed = message;
    return;
  }
  if (direct) {
    event.watch.remove();
    if (const auto route = routes->add(event.fd, message)) {
      event.route = *route;
      event.routed = message;
      return;
    }
  } else if (event.route) {
    routes->remove(*event.route, event.fd);
    event.route.reset();
  }
  if (!event.watch)
    event.watch = machine().loop().watch_fd(
        event.fd, FdEvents::Read,
        [this, vector, fd = event.fd](FdEvents) { read_msix_event(vector, fd); });
}

void PciDevice::update_msix_events() {
  for (auto& [vector, event] : msix_.events) update_msix_event(vector, event);
}

// What was signalled and not read is the guest's.
void PciDevice::Elsewhere::settle() {
  for (auto& [vector, event] : device->msix_.events)
    if (event.watch) device->read_msix_event(vector, event.fd);
}

// Of a vector that is masked it becomes a pending bit; of a device without MSI-X it is nothing.
void PciDevice::read_msix_event(unsigned vector, int fd) {
  if (take_events(fd) && msix_enabled()) notify_msix(vector);
}

}  // namespace rhea
