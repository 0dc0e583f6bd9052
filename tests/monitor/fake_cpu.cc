// SPDX-License-Identifier: GPL-2.0-or-later
// CPUs that do nothing.
#include "tests/monitor/fixture.h"

#include <chrono>
#include <thread>

namespace rhea::test {
namespace {

class FakeCpu final : public accel::VcpuBackend {
 public:
  explicit FakeCpu(Machine& machine) : state_(&machine.service<FakeCpuState>().state) {}
  void run() override { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
  void kick() override {}
  Result<> get_state(x86::CpuState& state) override {
    state = *state_;
    return {};
  }
  Result<> set_state(const x86::CpuState&) override { return {}; }
  void reset(ResetKind) override {}
  void inject_nmi() override { ++nmis; }
  std::optional<GuestPhys> translate(GuestVirt address) override {
    if (address.value >= MiB) return std::nullopt;
    return GuestPhys(address.value);
  }
  Result<> set_single_step(accel::SingleStep) override { return {}; }
  int nmis{0};

 private:
  const x86::CpuState* state_;
};

class FakeVm final : public accel::VmBackend {
 public:
  explicit FakeVm(Machine& machine) : machine_(&machine) {}
  Result<std::unique_ptr<accel::VcpuBackend>> create_vcpu(unsigned) override {
    return std::make_unique<FakeCpu>(*machine_);
  }

 private:
  Machine* machine_;
};

class FakeAccelerator final : public accel::Accelerator {
 public:
  static constexpr std::string_view kName = "fake-accel";
  std::string_view short_name() const override { return "fake"; }
  Result<std::unique_ptr<accel::VmBackend>> create_vm(Machine& machine) override {
    return std::make_unique<FakeVm>(machine);
  }
};

const RegisterType<FakeAccelerator> registration;

}  // namespace

void add_fake_cpus(Machine& machine, unsigned count) {
  auto& service = machine.service<accel::AccelService>();
  service.add_candidates("fake");
  machine.config.cpus = count;
  EXPECT_TRUE(service.select().has_value());
  EXPECT_TRUE(service.create_vcpus().has_value());
}

}  // namespace rhea::test
