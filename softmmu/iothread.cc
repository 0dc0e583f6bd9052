// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/iothread.h"

#include "rhea/qom/registry.h"

#include <cstdint>

namespace rhea {

void IoThreadObject::describe(Schema<IoThreadObject>& s) {
  s.help("a thread that serves the devices which name it by iothread=");
  const auto of_user = [](auto&& property) -> auto& {
    return property.range(0, INT64_MAX).settable_when_realized();
  };
  using T = IoThreadObject;
  of_user(s.property("poll-max-ns", &T::poll_max_ns_, i64{32'768}))
      .help("kept and shown: it never polls, but sleeps until it is wanted");
  of_user(s.property("poll-grow", &T::poll_grow_, i64{0})).help("likewise");
  of_user(s.property("poll-shrink", &T::poll_shrink_, i64{0})).help("likewise");
  of_user(s.property("aio-max-batch", &T::batch_, i64{0}))
      .help("kept and shown: requests go off one by one");
  of_user(s.property("thread-pool-min", &T::fewest_, i64{0}))
      .help("kept and shown: each drive has threads of its own");
  of_user(s.property("thread-pool-max", &T::most_, i64{64})).help("likewise");
}

Result<> IoThreadObject::complete() {
  *thread_ = std::make_unique<IoThread>("IO " + name(), nullptr);
  return {};
}

namespace {
const RegisterType<IoThreadObject> registration;
}  // namespace

}  // namespace rhea
