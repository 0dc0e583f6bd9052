// SPDX-License-Identifier: GPL-2.0-or-later
// An ISA device, right but for one bug of bugs.h.
#include "rhea/chardev/chardev.h"
#include "rhea/hw/isa.h"
#include "tests/injected/bugs.h"

#include <algorithm>
#include <vector>

namespace injected {
namespace {

using namespace rhea;

/// Made up: a latch whose top bit is an interrupt line, and a FIFO that a serial line fills.
template <Bug kBug>
class Latch final : public IsaDevice {
 public:
  static constexpr std::string_view kName = type_name(kBug);
  static void describe(Schema<Latch>& s) {
    s.help("latch with one bug");
    s.property("iobase", &Latch::iobase_, u16{0x300}).help("I/O port");
    s.property("irq", &Latch::irq_number_, u8{5}).range(0, 15).help("interrupt line");
    s.link("chardev", &Latch::chardev_).help("what fills its FIFO");
    if (kBug != Bug::IsaRegisterNotSaved) s.state("value", &Latch::value_);
    s.state("fifo", &Latch::fifo_);
    s.state("level", &Latch::level_).range(0, kFifoBytes);
  }
  Latch() : fifo_(kFifoBytes) { init_gpio_out("", irq_); }

 protected:
  Result<> realize() override {
    TRY(connect_isa_irq(irq_, irq_number_));
    if (chardev_ != nullptr) {
      Chardev::FrontEnd front_end;
      front_end.can_receive = [this] {
        return std::size_t{kBug == Bug::IsaFifoOverrun ? 2 * kFifoBytes : kFifoBytes - level_};
      };
      front_end.receive = [this](std::span<const u8> data) {
        for (const u8 byte : data) fifo_[level_++] = byte;
      };
      front_end.owner = this;
      TRY(chardev_->attach(std::move(front_end)));
    }
    region_.init_io(*this, "latch", 2, io<&Latch::read, &Latch::write>({.min = 1, .max = 1}));
    add_port(iobase_, region_);
    return {};
  }

  void unrealize() override {
    if (chardev_ != nullptr) chardev_->detach(this);
    if (kBug != Bug::IsaBaseNotUnrealized) IsaDevice::unrealize();
  }

  void reset(ResetKind) override {
    value_ = 0;
    level_ = 0;
    std::ranges::fill(fifo_, u8{0});
    if (kBug != Bug::IsaLineHighAtReset) irq_.lower();
  }

  Result<> post_load(unsigned) override {
    if (kBug != Bug::IsaLineNotRepeated) irq_.set((value_ & 0x80) != 0);
    return {};
  }

 private:
  static constexpr u32 kFifoBytes = 16;

  u64 read(u64 offset, unsigned) {
    if (offset == 0) return value_;
    if (level_ == 0) return 0;
    const u8 first = fifo_[0];
    std::ranges::rotate(fifo_, fifo_.begin() + 1);
    --level_;
    return first;
  }
  void write(u64 offset, u64 value, unsigned) {
    if (offset != 0) return;
    value_ = static_cast<u8>(value);
    irq_.set((value_ & 0x80) != 0);
  }

  u16 iobase_{};
  u8 irq_number_{};
  Chardev* chardev_{};
  Region region_;
  IrqOutput irq_;
  u8 value_{};
  u32 level_{};
  std::vector<u8> fifo_;
};

#define INJECTED_REGISTRATION(name, text) \
  const RegisterType<Latch<Bug::name>> registration_of_##name;
INJECTED_ISA_BUGS(INJECTED_REGISTRATION)

}  // namespace
}  // namespace injected
