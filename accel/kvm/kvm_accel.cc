// SPDX-License-Identifier: GPL-2.0-or-later
// -accel kvm and its parameters.
#include "accel/kvm/host_cpu.h"
#include "accel/kvm/vm.h"

#include <filesystem>

namespace rhea {

enum class KernelIrqchip : u8 { On, Off, Split };
template <>
struct EnumTraits<KernelIrqchip> {
  static constexpr std::string_view kType = "on|off|split";
  static constexpr std::array<std::string_view, 3> kNames = {"on", "off", "split"};
};

}  // namespace rhea

namespace rhea::kvm {
namespace {

class KvmAccelerator final : public accel::Accelerator {
 public:
  static constexpr std::string_view kName = "kvm-accel";
  static void describe(Schema<KvmAccelerator>& s) {
    s.help("Linux's kernel-based virtual machine");
    s.property("kernel-irqchip", &KvmAccelerator::irqchip_, KernelIrqchip::On)
        .help("interrupt controllers in the kernel: all (on), the local APICs (split), none (off)");
    s.property("dirty-ring-size", &KvmAccelerator::dirty_ring_size_, u32{0})
        .help("entries of each processor's dirty ring, a power of two; 0 logs in bitmaps");
    s.property("guest-memfd", &KvmAccelerator::guest_memfd_, false)
        .help("puts the guest's memory into KVM's guest_memfd");
    s.property("device", &KvmAccelerator::device_, "/dev/kvm").help("the host's KVM device");
  }

  std::string_view short_name() const override { return "kvm"; }

  std::optional<std::string> why_slow() const override {
    std::error_code ignored;
    if (has_hardware_virtualization() || !std::filesystem::exists(device_, ignored))
      return std::nullopt;
    return "this host has neither VT-x nor AMD-V, so its KVM interprets guests slowly";
  }

  Result<std::unique_ptr<accel::VmBackend>> create_vm(Machine& machine) override {
    auto system = TRY(System::open(device_));
    const VmOptions options{.irqchip = irqchip_ == KernelIrqchip::On      ? Irqchip::Kernel
                                       : irqchip_ == KernelIrqchip::Split ? Irqchip::Split
                                                                          : Irqchip::None,
                            .dirty_ring_entries = dirty_ring_size_,
                            .guest_memfd = guest_memfd_};
    return TRY(Vm::create(machine, std::move(system), options));
  }

 private:
  KernelIrqchip irqchip_{};
  u32 dirty_ring_size_{};
  bool guest_memfd_{};
  std::string device_;
};

const RegisterType<KvmAccelerator> registration;

}  // namespace
}  // namespace rhea::kvm
