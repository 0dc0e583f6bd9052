// SPDX-License-Identifier: GPL-2.0-or-later
// The I/O APIC inside the kernel, and the machine's way to all of its interrupt inputs.
#include "accel/kvm/vm.h"
#include "rhea/softmmu/interrupt_status.h"
#include "rhea/softmmu/snapshot.h"

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
    // As ioapic saves it, so that each loads what the other saved.
    s.state("id", &KvmIoApic::id_).range(0, 15);
    s.state("select", &KvmIoApic::select_);
    s.state("lines", &KvmIoApic::lines_).range(0, (1U << kPins) - 1);
    s.state("requests", &KvmIoApic::requests_).range(0, (1U << kPins) - 1);
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
    if (auto result = fetch(); !result)
      machine().service<SaveChecks>().report_failure(std::move(result).error().within(path()));
  }

  Result<> post_load(unsigned) override {
    kvm_irqchip chip = at_reset_;
    kvm_ioapic_state& out = chip.chip.ioapic;
    out.ioregsel = select_;
    out.id = id_;
    out.irr = requests_;
    for (unsigned i = 0; i < kPins; ++i) out.redirtbl[i].bits = redirection_[i];
    return put(chip);
  }
  std::string interrupt_status() override {
    constexpr u8 kVersion = 0x11;  // the kernel's
    if (auto result = fetch(); !result) return result.error().message() + "\n";
    return ioapic_status({.version = kVersion,
                          .id = id_,
                          .select = select_,
                          .irr = requests_,
                          .redirection = redirection_});
  }

 private:
  // The kernel keeps a bit for an edge until its line falls; such an interrupt was sent long ago.
  Result<> fetch() {
    constexpr u64 kLevel = 1 << 15;
    kvm_irqchip chip{};
    TRY(get(chip));
    const kvm_ioapic_state& in = chip.chip.ioapic;
    id_ = static_cast<u8>(in.id & 0xf);
    select_ = static_cast<u8>(in.ioregsel);
    requests_ = 0;
    for (unsigned i = 0; i < kPins; ++i) {
      redirection_[i] = in.redirtbl[i].bits;
      if ((redirection_[i] & kLevel) != 0) requests_ |= in.irr & 1U << i;
    }
    return {};
  }

  void set_pin(unsigned pin, bool level) {
    lines_ = level ? lines_ | 1U << pin : lines_ & ~(1U << pin);
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
  u8 id_{}, select_{};
  u32 lines_{};  ///< levels of the pins that devices drive
  u32 requests_{};
  std::array<u64, kPins> redirection_{};
};

const RegisterType<KvmIoApic> registration;
const RegisterSavedAs saved_as(KvmIoApic::kName, "ioapic");

}  // namespace
}  // namespace rhea::kvm
