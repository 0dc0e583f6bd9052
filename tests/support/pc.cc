// SPDX-License-Identifier: GPL-2.0-or-later
// The pc board for tests.
#include "tests/support/pc.h"

#include <stdexcept>

namespace rhea::test {
namespace {

void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

}  // namespace

Pc::Pc(MachineConfig config, const std::function<void(Machine&)>& prepare)
    : machine_(std::make_unique<Machine>()) {
  machine_->lock().lock();
  machine_->config = std::move(config);
  // The RTC follows the host's clock: a second that passes between two states is a difference.
  for (Clock* clock : {&machine_->virtual_clock(), &machine_->host_clock()}) clock->set_manual(0);
  if (prepare) prepare(*machine_);
  auto& accel = machine_->service<accel::AccelService>();
  accel.add_candidates("qtest");
  must(accel.select());
  must(hw::build_board(*machine_));
  machine_->machine_ready();
  must(accel.create_vcpus());
  machine_->reset_now(ShutdownCause::None, ResetKind::Cold);
}

Pc::~Pc() {
  machine_->lock().unlock();
  machine_.reset();
}

std::vector<Device*> Pc::devices() {
  std::vector<Device*> found;
  machine_->visit([&](Object& object) {
    if (auto* device = dynamic_cast<Device*>(&object); device != nullptr && device->is_realized())
      found.push_back(device);
  });
  return found;
}

}  // namespace rhea::test
