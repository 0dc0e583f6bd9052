// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/softmmu/deferred.h"

namespace rhea {

void Deferred::init(EventLoop& loop, std::function<void()> work) {
  cancel();
  loop_ = &loop;
  call_ = std::make_shared<Call>();
  call_->work = [domain = owner_domain(), work = std::move(work)] {
    const DomainGuard domain_guard(domain);
    work();
  };
}

void Deferred::schedule() {
  if (!initialised()) used_before_init("Deferred");
  if (call_->wanted.exchange(true)) return;
  loop_->defer([call = call_] {
    if (call->wanted.exchange(false)) call->work();
  });
}

void Deferred::cancel() {
  if (call_ != nullptr) call_->wanted = false;
}

bool Deferred::scheduled() const { return call_ != nullptr && call_->wanted; }

}  // namespace rhea
