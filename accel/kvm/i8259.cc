// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8259 interrupt controllers inside the kernel.
#include "accel/kvm/vm.h"
#include "rhea/softmmu/interrupt_status.h"
#include "rhea/softmmu/snapshot.h"

namespace rhea::kvm {
namespace {

/// A chip as isa-i8259 saves it, so that each loads what the other saved.
struct ChipState {
  u8 irr{}, imr{}, isr{}, lines{}, level_pins{}, cascade_pins{}, vector_base{}, lowest_pin{7},
      step{};
  bool single{}, needs_icw4{}, auto_eoi{}, rotate_on_auto_eoi{}, special_fully_nested{},
      special_mask{}, poll{}, read_isr{};

  static void describe(StateFields<ChipState>& f) {
    f.state("irr", &ChipState::irr);
    f.state("imr", &ChipState::imr);
    f.state("isr", &ChipState::isr);
    f.state("lines", &ChipState::lines);
    f.state("level-pins", &ChipState::level_pins);
    f.state("cascade-pins", &ChipState::cascade_pins);
    f.state("vector-base", &ChipState::vector_base);
    f.state("lowest-pin", &ChipState::lowest_pin).range(0, 7);
    f.state("step", &ChipState::step).range(0, 3);
    f.state("single", &ChipState::single);
    f.state("needs-icw4", &ChipState::needs_icw4);
    f.state("auto-eoi", &ChipState::auto_eoi);
    f.state("rotate-on-auto-eoi", &ChipState::rotate_on_auto_eoi);
    f.state("special-fully-nested", &ChipState::special_fully_nested);
    f.state("special-mask", &ChipState::special_mask);
    f.state("poll", &ChipState::poll);
    f.state("read-isr", &ChipState::read_isr);
  }
};

// The kernel pulses the master's input for the slave, so that its level is never seen.
constexpr u8 kCascade = 1 << 2;

ChipState from_kernel(const kvm_pic_state& in, bool master) {
  return {.irr = in.irr,
          .imr = in.imr,
          .isr = in.isr,
          .lines = in.last_irr,
          .level_pins = in.elcr,
          .cascade_pins = master ? kCascade : u8{0},
          .vector_base = in.irq_base,
          .lowest_pin = static_cast<u8>((in.priority_add + 7) & 7),
          .step = in.init_state,
          .single = false,
          .needs_icw4 = in.init4 != 0,
          .auto_eoi = in.auto_eoi != 0,
          .rotate_on_auto_eoi = in.rotate_on_auto_eoi != 0,
          .special_fully_nested = in.special_fully_nested_mode != 0,
          .special_mask = in.special_mask != 0,
          .poll = in.poll != 0,
          .read_isr = in.read_reg_select != 0};
}

void to_kernel(const ChipState& in, bool master, kvm_pic_state& out) {
  out.last_irr = master ? static_cast<u8>(in.lines & ~kCascade) : in.lines;
  out.irr = in.irr;
  out.imr = in.imr;
  out.isr = in.isr;
  out.priority_add = (in.lowest_pin + 1) & 7;
  out.irq_base = in.vector_base;
  out.read_reg_select = in.read_isr;
  out.poll = in.poll;
  out.special_mask = in.special_mask;
  out.init_state = in.step;
  out.auto_eoi = in.auto_eoi;
  out.rotate_on_auto_eoi = in.rotate_on_auto_eoi;
  out.special_fully_nested_mode = in.special_fully_nested;
  out.init4 = in.needs_icw4;
  out.elcr = in.level_pins;
}

/// Intel 8259A pair of a PC, in the kernel (order number 231468). Its input pins do nothing: a GSI
/// set through the kvm-ioapic device reaches both controllers. State: complete. Missing: nothing.
class KvmI8259 final : public Device, public InterruptStatus {
 public:
  static constexpr std::string_view kName = "kvm-i8259";
  static void describe(Schema<KvmI8259>& s) {
    s.help("8259 interrupt controllers in the kernel");
    s.board_only();
    s.state("master", &KvmI8259::master_);
    s.state("slave", &KvmI8259::slave_);
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
    if (auto result = get(); !result)
      machine().service<SaveChecks>().report_failure(std::move(result).error().within(path()));
    master_ = from_kernel(chips_[0], true);
    slave_ = from_kernel(chips_[1], false);
  }
  Result<> post_load(unsigned) override {
    chips_ = at_reset_;
    to_kernel(master_, true, chips_[0]);
    to_kernel(slave_, false, chips_[1]);
    return put();
  }
  std::string interrupt_status() override {
    if (auto result = get(); !result) return result.error().message() + "\n";
    return pic_status("pic0", registers(chips_[0])) + pic_status("pic1", registers(chips_[1]));
  }

 private:
  void set_pin(unsigned, bool) {}

  static PicRegisters registers(const kvm_pic_state& s) {
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
      chips_[i] = chip.chip.pic;
    }
    return {};
  }

  Result<> put() {
    for (u32 i = 0; i < chips_.size(); ++i) {
      kvm_irqchip chip{};
      chip.chip_id = i == 0 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
      chip.chip.pic = chips_[i];
      TRY(try_call("KVM_SET_IRQCHIP", vm_->fd(), KVM_SET_IRQCHIP, &chip));
    }
    return {};
  }

  Vm* vm_{};
  IrqOutput intr_;
  std::array<kvm_pic_state, 2> chips_{}, at_reset_{};
  ChipState master_, slave_;  ///< as they are saved
};

const RegisterType<KvmI8259> registration;
const RegisterSavedAs saved_as(KvmI8259::kName, "isa-i8259");

}  // namespace
}  // namespace rhea::kvm
