// SPDX-License-Identifier: GPL-2.0-or-later
// The accelerator without CPUs: tests drive the machine over the qtest protocol.
#include "accel/accelerator.h"

namespace rhea::accel {
namespace {

class QtestVm final : public VmBackend {
 public:
  bool runs_code() const override { return false; }
  Result<std::unique_ptr<VcpuBackend>> create_vcpu(unsigned) override {
    return fail("the qtest accelerator has no CPUs");
  }
};

/// Virtual time stands at 0 until the test moves it.
class QtestAccelerator final : public Accelerator {
 public:
  static constexpr std::string_view kName = "qtest-accel";
  static void describe(Schema<QtestAccelerator>& s) {
    s.help("no CPU: a test program steers the devices (-qtest)");
  }

  std::string_view short_name() const override { return "qtest"; }
  Result<std::unique_ptr<VmBackend>> create_vm(Machine& machine) override {
    machine.virtual_clock().set_manual(0);
    return std::make_unique<QtestVm>();
  }
};

const RegisterType<QtestAccelerator> registration;

}  // namespace
}  // namespace rhea::accel
