// SPDX-License-Identifier: GPL-2.0-or-later
// The I/O APIC inside the kernel, and the machine's way to all of its interrupt inputs.
#include "accel/kvm/vm.h"
#include "rhea/softmmu/interrupt_status.h"

namespace rhea::kvm {
namespace {

constexpr unsigned kPins = 24;

/// Intel 82093AA in the kernel (order number 290566). Input pin n is the global system interrupt of
/// that number, pin 2 the timer's, GSI 0; those below 16 reach the kernel's 8259s too. State:
/// complete. Missing: nothing.
class KvmIoApic final : public Device, public InterruptStatus {
 public:
  static constexpr std::string_view kName = "kvm-ioapic";
  static void describe(Schema<KvmIoApic>& s) {
    s.help("I/O APIC in the kernel");
    s.board_only();
    s.state("base-address", &KvmIoApic::base_address_);
    s.state("ioregsel", &KvmIoApic::ioregsel_);
    s.state("id", &KvmIoApic::id_);
    s.state("irr", &KvmIoApic::irr_).range(0, (1U << kPins) - 1);
    s.state("redirection", &KvmIoApic::redirection_);
  }

  KvmIoApic() { init_gpio_in<&KvmIoApic::set_pin>(*this, "", kPins); }

  Result<> realize() override {
    vm_ = Vm::of(machine());
    if (vm_ == nullptr || vm_->interrupts().irqchip() != Irqchip::Kernel)
      return fail("kvm-ioapic: the machine's interrupt controllers are not in the kernel");
    return get(at_reset_);
  }

  void reset(ResetKind) override {
    if (auto result = put(at_reset_); !result)
      vm_->warn_once(std::string(kName), result.error().message());
  }

  void pre_save() override {
    kvm_irqchip chip{};
    if (auto result = get(chip); !result)
      return vm_->warn_once(std::string(kName), result.error().message());
    const kvm_ioapic_state& in = chip.chip.ioapic;
    base_address_ = in.base_address;
    ioregsel_ = in.ioregsel;
    id_ = in.id;
    irr_ = in.irr;
    for (unsigned i = 0; i < kPins; ++i) redirection_[i] = in.redirtbl[i].bits;
  }

  Result<> post_load(unsigned) override {
    kvm_irqchip chip{};
    kvm_ioapic_state& out = chip.chip.ioapic;
    out.base_address = base_address_;
    out.ioregsel = ioregsel_;
    out.id = id_;
    out.irr = irr_;
    for (unsigned i = 0; i < kPins; ++i) out.redirtbl[i].bits = redirection_[i];
    return put(chip);
  }
  std::string interrupt_status() override {
    constexpr u8 kVersion = 0x11;  // the kernel's
    pre_save();
    return ioapic_status({.version = kVersion,
                          .id = static_cast<u8>(id_ >> 24),
                          .select = static_cast<u8>(ioregsel_),
                          .irr = irr_,
                          .redirection = redirection_});
  }

 private:
  void set_pin(unsigned pin, bool level) {
    if (pin == 0 || vm_ == nullptr) return;
    vm_->interrupts().set_line(pin == 2 ? 0 : pin, level);
  }

  Result<> get(kvm_irqchip& chip) {
    chip.chip_id = KVM_IRQCHIP_IOAPIC;
    TRY(try_call("KVM_GET_IRQCHIP", vm_->fd(), KVM_GET_IRQCHIP, &chip));
    return {};
  }
  Result<> put(kvm_irqchip chip) {
    chip.chip_id = KVM_IRQCHIP_IOAPIC;
    TRY(try_call("KVM_SET_IRQCHIP", vm_->fd(), KVM_SET_IRQCHIP, &chip));
    return {};
  }

  Vm* vm_{};
  kvm_irqchip at_reset_{};
  u64 base_address_{};
  u32 ioregsel_{}, id_{}, irr_{};
  std::array<u64, kPins> redirection_{};
};

const RegisterType<KvmIoApic> registration;

}  // namespace
}  // namespace rhea::kvm
