// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/softmmu/domain_entry.h"

namespace rhea {

bool DomainEntry::Gate::enter(const std::function<void()>& work) {
  const std::lock_guard lock(mutex_);
  if (domain_ == nullptr) return false;
  const DomainGuard guard(domain_);
  work();
  return true;
}

void DomainEntry::init(const Device& owner) {
  RHEA_ASSERT(owner.lock_domain() != nullptr);
  gate_ = std::make_shared<Gate>(*owner.lock_domain());
}

// Under the machine's lock, for which nobody inside waits, and without the domain, for which they
// may.
void DomainEntry::end() {
  if (!gate_) return;
  const std::lock_guard lock(gate_->mutex_);
  gate_->domain_ = nullptr;
}

}  // namespace rhea
