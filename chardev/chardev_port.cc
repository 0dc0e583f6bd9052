// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/chardev/chardev_port.h"

namespace rhea {

namespace {

/// `function` under the device's domain.
template <class R, class... Args>
void enter(LockDomain* domain, std::function<R(Args...)>& function) {
  if (domain == nullptr || !function) return;
  function = [domain, inner = std::move(function)](Args... args) {
    const DomainGuard domain_guard(domain);
    return inner(args...);
  };
}

}  // namespace

Result<> ChardevPort::attach(Chardev::FrontEnd functions) {
  if (chardev_ == nullptr) return {};
  LockDomain* const domain = owner_domain();
  enter(domain, functions.can_receive);
  enter(domain, functions.receive);
  enter(domain, functions.event);
  enter(domain, functions.can_send);
  enter(domain, functions.in_use);
  functions.owner = this;
  functions.moved = [this, told = std::move(functions.moved)](Chardev& next) {
    move_to(next);
    if (told) told(next);
  };
  // A device with a domain writes in it, on whatever thread: where to must not change meanwhile.
  enter(domain, functions.moved);
  TRY(chardev_->attach(std::move(functions)));
  attached_ = true;
  return {};
}

void ChardevPort::detach() {
  if (std::exchange(attached_, false)) chardev_->detach(this);
}

void ChardevPort::lead_to(Chardev* chardev) {
  detach();
  if (chardev_ != nullptr) std::erase(chardev_->ports_, this);
  chardev_ = chardev;
  if (chardev_ != nullptr) chardev_->ports_.push_back(this);
}

// The front end is on its way to it already.
void ChardevPort::move_to(Chardev& next) {
  attached_ = false;
  lead_to(&next);
  attached_ = true;
}

}  // namespace rhea
