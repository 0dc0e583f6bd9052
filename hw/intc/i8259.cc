// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's pair of 8259A interrupt controllers with the chipset's edge/level registers.
#include "hw/intc/i8259_chip.h"
#include "hw/intc/trace_events.h"
#include "rhea/hw/isa.h"

namespace rhea::hw {
namespace {

/// Two 8259A (datasheet 231468), master at 0x20, slave at 0xa0 on the master's input 2, and the
/// ELCR at 0x4d0 as the PIIX3 has it (datasheet 290550, 2.5.3). Inputs 0 to 15 are IRQ 0 to 15;
/// output "intr".
/// An edge that is withdrawn before it is acknowledged leaves IRR, and a slave's takes the master's
/// with it; an acknowledge that comes too late finds the spurious input 7. Who drives a line keeps
/// it high until it is served (the 8254 sees to that for the tick).
/// State: complete. Missing: MCS-80 mode, buffered mode (no effect on a PC), ICW1's
/// LTIM (the ELCR rules).
class I8259 final : public IsaDevice, public ExtIntSource, public InterruptStatus {
 public:
  static constexpr std::string_view kName = "isa-i8259";
  static void describe(Schema<I8259>& s) {
    s.help("pair of 8259A interrupt controllers");
    s.board_only();
    s.state("master", &I8259::master_);
    s.state("slave", &I8259::slave_);
  }

  I8259() {
    init_gpio_in<&I8259::set_irq>(*this, "", 16);
    init_gpio_out("intr", intr_);
  }

  bool intr() const override { return intr_.level(); }
  u8 acknowledge() override;
  std::string interrupt_status() override {
    return pic_status("pic0", master_.registers()) + pic_status("pic1", slave_.registers());
  }
  std::optional<std::vector<u64>> interrupt_counts() const override {
    return std::vector<u64>(counts_.begin(), counts_.end());
  }
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr u8 kMasterLevelCapable = 0xf8;  // not the timer, the keyboard and the cascade
  static constexpr u8 kSlaveLevelCapable = 0xde;   // not the clock and the coprocessor

  void set_irq(unsigned irq, bool level);
  template <I8259Chip I8259::* Chip>
  u64 read(u64 offset, unsigned size);
  template <I8259Chip I8259::* Chip>
  void write(u64 offset, u64 value, unsigned size);
  u64 read_elcr(u64 offset, unsigned size);
  void write_elcr(u64 offset, u64 value, unsigned size);
  void update();
  void tell(bool level);

  I8259Chip master_;
  I8259Chip slave_;
  IrqOutput intr_;
  std::array<u64, 16> counts_{};  ///< how often each input rose; not part of the state
  u16 levels_{0};
  Region master_region_;
  Region slave_region_;
  Region elcr_region_;
};

constexpr AccessSizes kAnySize{.min = 1, .max = 4};
constexpr AccessSizes kBytes{.min = 1, .max = 1};

Result<> I8259::realize() {
  master_region_.init_io(
      *this, "pic", 2,
      io<&I8259::read<&I8259::master_>, &I8259::write<&I8259::master_>>(kAnySize, kBytes));
  slave_region_.init_io(
      *this, "pic", 2,
      io<&I8259::read<&I8259::slave_>, &I8259::write<&I8259::slave_>>(kAnySize, kBytes));
  elcr_region_.init_io(*this, "elcr", 2,
                       io<&I8259::read_elcr, &I8259::write_elcr>(kAnySize, kBytes));
  add_port(0x20, master_region_);
  add_port(0xa0, slave_region_);
  add_port(0x4d0, elcr_region_);
  machine().interrupts.pic = this;
  on_unrealize([this] {
    if (machine().interrupts.pic == this) machine().interrupts.pic = nullptr;
  });
  return {};
}

void I8259::reset(ResetKind) {
  master_.reset();
  slave_.reset();
  update();
}

// The kernel's chips know no level of the slave's output.
Result<> I8259::post_load(unsigned) {
  master_.set_cascade(slave_.pending().has_value());
  intr_.set(master_.pending().has_value());
  tell(intr_.level());
  return {};
}

void I8259::set_irq(unsigned irq, bool level) {
  pic_set_irq(*this, irq, level);
  const auto bit = static_cast<u16>(1U << irq);
  if (level && (levels_ & bit) == 0) ++counts_[irq];
  levels_ = static_cast<u16>(level ? levels_ | bit : levels_ & ~bit);
  if (irq == I8259Chip::kCascadePin) return;
  (irq < 8 ? master_ : slave_).set_pin(irq & 7, level);
  update();
}

u8 I8259::acknowledge() {
  const auto pin = master_.pending();
  u8 vector = master_.vector(pin.value_or(I8259Chip::kSpuriousPin));
  if (pin == I8259Chip::kCascadePin && !master_.single()) {
    const auto slave_pin = slave_.pending();
    vector = slave_.vector(slave_pin.value_or(I8259Chip::kSpuriousPin));
    if (slave_pin) slave_.acknowledge(*slave_pin);
  }
  if (pin) master_.acknowledge(*pin);
  pic_acknowledge(*this, vector);
  update();
  return vector;
}

template <I8259Chip I8259::* Chip>
u64 I8259::read(u64 offset, unsigned) {
  const u8 value = (this->*Chip).read(static_cast<unsigned>(offset));
  pic_read(*this, (Chip == &I8259::master_ ? 0x20 : 0xa0) + offset, value);
  update();  // a poll acknowledges
  return value;
}

template <I8259Chip I8259::* Chip>
void I8259::write(u64 offset, u64 value, unsigned) {
  pic_write(*this, (Chip == &I8259::master_ ? 0x20 : 0xa0) + offset, value);
  (this->*Chip).write(static_cast<unsigned>(offset), static_cast<u8>(value));
  update();
}

u64 I8259::read_elcr(u64 offset, unsigned) { return (offset == 0 ? master_ : slave_).level_pins(); }

void I8259::write_elcr(u64 offset, u64 value, unsigned) {
  pic_write(*this, 0x4d0 + offset, value);
  if (offset == 0)
    master_.set_level_pins(static_cast<u8>(value & kMasterLevelCapable));
  else
    slave_.set_level_pins(static_cast<u8>(value & kSlaveLevelCapable));
  update();
}

void I8259::update() {
  master_.set_cascade(slave_.pending().has_value());
  const bool level = master_.pending().has_value();
  if (level == intr_.level()) return;
  intr_.set(level);
  tell(level);
}

void I8259::tell(bool level) {
  if (machine().interrupts.intr_changed) machine().interrupts.intr_changed(level);
}

const RegisterType<I8259> registration;

}  // namespace
}  // namespace rhea::hw
