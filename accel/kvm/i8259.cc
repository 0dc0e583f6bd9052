// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8259 interrupt controllers inside the kernel.
#include "accel/kvm/vm.h"
#include "rhea/softmmu/interrupt_status.h"

#include <bit>

namespace rhea::kvm {
namespace {

struct PicState {
  u8 last_irr{}, irr{}, imr{}, isr{}, priority_add{}, irq_base{}, read_reg_select{}, poll{},
      special_mask{};
  u8 init_state{}, auto_eoi{}, rotate_on_auto_eoi{}, special_fully_nested_mode{}, init4{}, elcr{},
      elcr_mask{};

  static void describe(StateFields<PicState>& f) {
    f.state("last-irr", &PicState::last_irr);
    f.state("irr", &PicState::irr);
    f.state("imr", &PicState::imr);
    f.state("isr", &PicState::isr);
    f.state("priority-add", &PicState::priority_add).range(0, 7);
    f.state("irq-base", &PicState::irq_base);
    f.state("read-reg-select", &PicState::read_reg_select).range(0, 1);
    f.state("poll", &PicState::poll);
    f.state("special-mask", &PicState::special_mask).range(0, 1);
    f.state("init-state", &PicState::init_state).range(0, 3);
    f.state("auto-eoi", &PicState::auto_eoi).range(0, 1);
    f.state("rotate-on-auto-eoi", &PicState::rotate_on_auto_eoi).range(0, 1);
    f.state("special-fully-nested-mode", &PicState::special_fully_nested_mode).range(0, 1);
    f.state("init4", &PicState::init4).range(0, 1);
    f.state("elcr", &PicState::elcr);
    f.state("elcr-mask", &PicState::elcr_mask);
  }
};
static_assert(sizeof(PicState) == sizeof(kvm_pic_state));

/// Intel 8259A pair of a PC, in the kernel (order number 231468). Its input pins do nothing: a GSI
/// set through the kvm-ioapic device reaches both controllers. State: complete. Missing: nothing.
class KvmI8259 final : public Device, public InterruptStatus {
 public:
  static constexpr std::string_view kName = "kvm-i8259";
  static void describe(Schema<KvmI8259>& s) {
    s.help("8259 interrupt controllers in the kernel");
    s.board_only();
    s.state("chips", &KvmI8259::chips_);
  }

  KvmI8259() {
    init_gpio_in<&KvmI8259::set_pin>(*this, "", 16);
    init_gpio_out("intr", intr_);
  }

  Result<> realize() override {
    vm_ = Vm::of(machine());
    if (vm_ == nullptr || vm_->interrupts().irqchip() != Irqchip::Kernel)
      return fail("kvm-i8259: the machine's interrupt controllers are not in the kernel");
    TRY(get());
    at_reset_ = chips_;
    return {};
  }

  void reset(ResetKind) override {
    chips_ = at_reset_;
    if (auto result = put(); !result) vm_->warn_once(std::string(kName), result.error().message());
  }
  void pre_save() override {
    if (auto result = get(); !result) vm_->warn_once(std::string(kName), result.error().message());
  }
  Result<> post_load(unsigned) override { return put(); }
  std::string interrupt_status() override {
    pre_save();
    return pic_status("pic0", registers(chips_[0])) + pic_status("pic1", registers(chips_[1]));
  }

 private:
  void set_pin(unsigned, bool) {}

  static PicRegisters registers(const PicState& s) {
    return {.irr = s.irr,
            .imr = s.imr,
            .isr = s.isr,
            .highest_priority_pin = s.priority_add,
            .vector_base = s.irq_base,
            .read_isr = s.read_reg_select != 0,
            .level_pins = s.elcr,
            .special_fully_nested = s.special_fully_nested_mode != 0};
  }

  Result<> get() {
    for (u32 i = 0; i < chips_.size(); ++i) {
      kvm_irqchip chip{};
      chip.chip_id = i == 0 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
      TRY(try_call("KVM_GET_IRQCHIP", vm_->fd(), KVM_GET_IRQCHIP, &chip));
      chips_[i] = std::bit_cast<PicState>(chip.chip.pic);
    }
    return {};
  }

  Result<> put() {
    for (u32 i = 0; i < chips_.size(); ++i) {
      kvm_irqchip chip{};
      chip.chip_id = i == 0 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
      chip.chip.pic = std::bit_cast<kvm_pic_state>(chips_[i]);
      TRY(try_call("KVM_SET_IRQCHIP", vm_->fd(), KVM_SET_IRQCHIP, &chip));
    }
    return {};
  }

  Vm* vm_{};
  IrqOutput intr_;
  std::array<PicState, 2> chips_{}, at_reset_{};
};

const RegisterType<KvmI8259> registration;

}  // namespace
}  // namespace rhea::kvm
