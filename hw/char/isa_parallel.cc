// SPDX-License-Identifier: GPL-2.0-or-later
// A parallel port on the ISA bus, with a printer at it.
#include "rhea/chardev/chardev_port.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/registers.h"

#include <array>
#include <limits>

namespace rhea::hw {
namespace {

constexpr u32 kUnset = std::numeric_limits<u32>::max();

/// LPT1 to LPT3: the PC's standard parallel port (IEEE 1284-1994, compatibility mode; IBM's AT
/// technical reference), with the direction bit of the PS/2's. At it is a printer that is always on
/// line and has paper: it takes the byte on the strobe's fall when it is selected, is busy until
/// the back end has it, and tells so by an nAck of 5 us, whose end interrupts where that is
/// enabled. A guest that reads the data lines turned inwards finds them high: the printer drives
/// none. State: complete. Missing: EPP and ECP, which QEMU has with a port of the host's alone.
class IsaParallel final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-parallel";
  static void describe(Schema<IsaParallel>& s) {
    s.help("parallel port with a printer");
    s.property("index", &IsaParallel::index_, kUnset)
        .help("0 to 2 for LPT1 to LPT3 (default: the next)");
    s.property("iobase", &IsaParallel::iobase_, kUnset).help("first I/O port (default: by index)");
    s.property("irq", &IsaParallel::irq_number_, u32{7}).help("ISA interrupt line");
    s.link("chardev", &IsaParallel::printer_).help("where what is printed goes");
    s.registers(&IsaParallel::bank_, [](auto reg) {
      return reg.bank({.name = "parallel", .size = 8, .sizes = {.min = 1, .max = 1}},
                      reg("DATA", 0, &IsaParallel::data_).reset(0xff).read_by(&IsaParallel::lines),
                      reg("STATUS", 1, 1)
                          .read_by(&IsaParallel::status)
                          .after_read(&IsaParallel::status_read)
                          .field("NOT_BUSY", kNotBusy)
                          .field("NOT_ACK", kNotAck)
                          .field("PAPER_END", kPaperEnd)
                          .field("SELECTED", kOnLine)
                          .field("NO_FAULT", kNoFault),
                      reg("CONTROL", 2, &IsaParallel::control_)
                          .reset(kSelect | kNotInit)
                          .writable(kControlBits)
                          .read_by(&IsaParallel::control)
                          .after_write(&IsaParallel::control_written)
                          .field("STROBE", kStrobe)
                          .field("AUTO_FEED", kAutoFeed)
                          .field("NOT_INIT", kNotInit)
                          .field("SELECT", kSelect)
                          .field("INTERRUPT", kInterrupt)
                          .field("INWARDS", kInwards));
    });
    s.state("byte", &IsaParallel::byte_);
    s.state("waits", &IsaParallel::waits_);
    s.state("acknowledges", &IsaParallel::acknowledge_);
    s.state("irq", &IsaParallel::irq_);
  }

  IsaParallel() { init_gpio_out("", irq_); }
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr u8 kNotBusy = 0x80, kNotAck = 0x40, kPaperEnd = 0x20, kOnLine = 0x10,
                      kNoFault = 0x08, kStatusUnused = 0x07;
  static constexpr u8 kStrobe = 0x01, kAutoFeed = 0x02, kNotInit = 0x04, kSelect = 0x08,
                      kInterrupt = 0x10, kInwards = 0x20, kControlBits = 0x3f,
                      kControlUnused = 0xc0;
  static constexpr i64 kAcknowledgeNs = 5'000;

  u32 ports_on_bus() const;
  u8 lines() const { return (control_ & kInwards) != 0 ? u8{0xff} : data_; }
  u8 control() const { return control_ | kControlUnused; }
  u8 status() const;
  void status_read();
  void control_written(u8 written, u8 before);
  void print();
  void acknowledged();

  u32 index_{};
  u32 iobase_{};
  u32 irq_number_{};
  ChardevPort printer_;
  u8 data_{}, control_{};
  u8 byte_{0};         ///< that the printer has read from the lines
  bool waits_{false};  ///< the back end has not taken it yet
  Timer acknowledge_;  ///< armed while nAck is low: its end
  IrqOutput irq_;
  RegisterBank bank_;
};

Result<> IsaParallel::realize() {
  constexpr std::array<u32, 3> bases = {0x378, 0x278, 0x3bc};
  constexpr u32 kMostBase = 0xfff8;
  if (index_ == kUnset) index_ = ports_on_bus();
  if (index_ >= bases.size())
    return fail("Property 'isa-parallel.index' is {}: there are at most {} parallel ports", index_,
                bases.size());
  if (iobase_ == kUnset) iobase_ = bases[index_];
  if (iobase_ > kMostBase)
    return fail("Property 'isa-parallel.iobase' is out of range: {:#x}", iobase_);
  TRY(connect_isa_irq(irq_, irq_number_));
  TRY(printer_.attach({.can_receive = [] { return std::size_t{0}; },
                       .receive = [](std::span<const u8>) {},
                       .event = [](ChardevEvent) {},
                       .can_send = [this] { print(); },
                       .moved = [this](Chardev&) { print(); }}));
  acknowledge_.init(machine().virtual_clock(), [this] { acknowledged(); });
  bank_.init(*this);
  // The third has three ports only: behind them begin the graphics card's.
  if (index_ == 2) bank_.set_size(3);
  add_port(static_cast<u16>(iobase_), bank_);
  return {};
}

// The ports that are there already.
u32 IsaParallel::ports_on_bus() const {
  u32 count = 0;
  for (const Device* device : parent_bus()->devices())
    if (device->is_realized() && &device->type() == &type()) ++count;
  return count;
}

void IsaParallel::reset(ResetKind) {
  waits_ = false;
  byte_ = 0;
  acknowledge_.cancel();
  irq_.lower();
}

Result<> IsaParallel::post_load(unsigned) {
  print();
  return {};
}

// Whoever looks sees the end of nAck in time, however late the timer comes.
u8 IsaParallel::status() const {
  u8 value = kOnLine | kNoFault | kStatusUnused;
  const bool acknowledges =
      acknowledge_.armed() && machine().virtual_clock().now_ns() < acknowledge_.expiry_ns();
  if (!acknowledges) value |= kNotAck;
  if (!acknowledges && !waits_ && (control_ & kStrobe) == 0) value |= kNotBusy;
  return value;
}

// The line stays high until the guest looks: an 8259 forgets an edge that falls before.
void IsaParallel::status_read() {
  if (acknowledge_.armed() && machine().virtual_clock().now_ns() >= acknowledge_.expiry_ns()) {
    acknowledge_.cancel();
    acknowledged();
  }
  irq_.lower();
}

void IsaParallel::control_written(u8 written, u8 before) {
  if ((written & kInterrupt) == 0) irq_.lower();
  if ((written & kNotInit) == 0) {
    waits_ = false;
    acknowledge_.cancel();
    return;
  }
  const bool strobes = (written & kStrobe) != 0 && (before & kStrobe) == 0;
  if (!strobes || (written & kSelect) == 0 || waits_ || acknowledge_.armed()) return;
  byte_ = lines();
  waits_ = true;
  print();
}

void IsaParallel::print() {
  if (!waits_ || printer_.write({&byte_, 1}) == 0) return;
  waits_ = false;
  acknowledge_.arm_in(kAcknowledgeNs);
}

void IsaParallel::acknowledged() {
  if ((control_ & kInterrupt) != 0) irq_.raise();
}

const RegisterType<IsaParallel> registration;

}  // namespace
}  // namespace rhea::hw
