// SPDX-License-Identifier: GPL-2.0-or-later
// A serial port on the ISA bus.
#include "hw/char/serial_16550.h"
#include "rhea/hw/isa.h"

#include <array>
#include <limits>

namespace rhea::hw {
namespace {

constexpr u32 kUnset = std::numeric_limits<u32>::max();

/// COM1 to COM4: a 16550A at the PC's usual ports and interrupt lines.
/// State: the UART's. Missing: nothing.
class IsaSerial final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-serial";
  static void describe(Schema<IsaSerial>& s) {
    s.help("serial port with a 16550A");
    s.property("index", &IsaSerial::index_, kUnset)
        .help("0 to 3 for COM1 to COM4 (default: the next)");
    s.property("iobase", &IsaSerial::iobase_, kUnset).help("first I/O port (default: by index)");
    s.property("irq", &IsaSerial::irq_number_, kUnset)
        .help("ISA interrupt line (default: by index)");
    s.property("baudbase", &IsaSerial::baud_base_, u32{115200}).help("rate at divisor 1");
    s.property("line-time", &IsaSerial::line_time_, false)
        .help("characters take as long as divisor and format say, instead of no time");
    s.link("chardev", &IsaSerial::chardev_).help("where the line leads");
  }

  IsaSerial() : uart_(&add_child("serial", create<Serial16550>())) {
    init_gpio_out("", uart_->irq());
  }

 protected:
  Result<> realize() override;

 private:
  unsigned ports_on_bus() const;

  u32 index_{};
  u32 iobase_{};
  u32 irq_number_{};
  u32 baud_base_{};
  bool line_time_{};
  ChardevPort chardev_;
  Serial16550* uart_;
};

Result<> IsaSerial::realize() {
  constexpr std::array<u32, 4> bases = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
  constexpr std::array<u32, 4> lines = {4, 3, 4, 3};
  if (index_ == kUnset) index_ = ports_on_bus();
  if (index_ >= bases.size())
    return fail("Property 'isa-serial.index' is {}: there are at most {} ISA serial ports", index_,
                bases.size());
  if (iobase_ == kUnset) iobase_ = bases[index_];
  if (irq_number_ == kUnset) irq_number_ = lines[index_];
  if (iobase_ > 0xfff8) return fail("Property 'isa-serial.iobase' is out of range: {:#x}", iobase_);
  TRY(connect_isa_irq(uart_->irq(), irq_number_));
  uart_->configure(chardev_, baud_base_, line_time_);
  TRY(uart_->set_realized(true));
  add_port(static_cast<u16>(iobase_), uart_->ports());
  return {};
}

// The ports that are there already.
unsigned IsaSerial::ports_on_bus() const {
  unsigned count = 0;
  for (const Device* device : parent_bus()->devices())
    if (device->is_realized() && &device->type() == &type()) ++count;
  return count;
}

const RegisterType<IsaSerial> registration;

}  // namespace
}  // namespace rhea::hw
