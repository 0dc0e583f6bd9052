// SPDX-License-Identifier: GPL-2.0-or-later
// The educational PCI device: what a driver writer can practise on.
#include "hw/misc/trace_events.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/registers.h"
#include "rhea/util/log.h"

#include <array>

namespace rhea::hw {
namespace {

/// Spec: QEMU's docs/specs/edu. A 1 MiB BAR of registers (4 bytes wide below 0x80, 4 or 8 above), a
/// 4 KiB buffer that its DMA engine fills and empties, INTx or MSI. Factorials and transfers take a
/// little virtual time.
/// State: complete. Missing: nothing.
class Edu final : public PciDevice {
 public:
  static constexpr std::string_view kName = "edu";
  static constexpr PciIdentity kPci{
      .vendor = 0x1234, .device = 0x11e8, .klass = 0x00ff00, .revision = 0x10, .interrupt_pin = 1};
  static void describe(Schema<Edu>& s) {
    s.help("educational device: registers, interrupts, DMA");
    s.property("dma_mask", &Edu::dma_mask_, u64{0x0fff'ffff})
        .help("address bits its DMA engine has");
    s.registers(&Edu::mmio_, [](auto reg) {
       const auto causes = [](auto row) {
         return row.field("FACTORIAL", kIrqFactorial).field("DMA", kIrqDma);
       };
       return reg.bank(
           {.name = "edu-mmio",
            .size = 1 * MiB,
            .sizes = {.min = 4, .max = 8},
            .reach = Reach::FromStart},
           reg("IDENTIFICATION", 0x00, 4).constant(0x0100'00ed),
           reg("LIVENESS", 0x04, &Edu::liveness_).write_by(&Edu::invert),
           reg("FACTORIAL", 0x08, &Edu::factorial_)
               .locked_while(&Edu::computing)
               .after_write(&Edu::start_factorial),
           reg("STATUS", 0x20, &Edu::status_)
               .writable(kIrqOnFactorial)
               .field("COMPUTING", kComputing)
               .field("IRQ_ON_FACTORIAL", kIrqOnFactorial),
           causes(reg("IRQ_STATUS", 0x24, &Edu::irq_status_).read_only().bits(~u32{0})),
           causes(reg("IRQ_RAISE", 0x60, 4).write_by(&Edu::raise)),
           causes(reg("IRQ_ACK", 0x64, 4).write_by(&Edu::acknowledge)),
           reg("DMA_SOURCE", 0x80, &Edu::dma_source_).locked_while(&Edu::dma_runs),
           reg("DMA_DESTINATION", 0x88, &Edu::dma_destination_).locked_while(&Edu::dma_runs),
           reg("DMA_COUNT", 0x90, &Edu::dma_count_).locked_while(&Edu::dma_runs),
           reg("DMA_COMMAND", 0x98, &Edu::dma_command_)
               .locked_while(&Edu::dma_runs)
               .write_by(&Edu::start_dma)
               .field("RUN", kDmaRun)
               .field("TO_RAM", kDmaToRam)
               .field("IRQ", kDmaIrq));
     }).bar(0);
    s.state("buffer", &Edu::buffer_);
    s.state("factorial-timer", &Edu::factorial_timer_);
    s.state("dma-timer", &Edu::dma_timer_);
  }

  Result<> realize() override {
    TRY(PciDevice::realize());
    add_msi();
    factorial_timer_.init(machine().virtual_clock(), [this] { finish_factorial(); });
    dma_timer_.init(machine().virtual_clock(), [this] { finish_dma(); });
    return {};
  }

  void reset(ResetKind) override {
    factorial_timer_.cancel();
    dma_timer_.cancel();
    buffer_.fill(0);
  }

 private:
  static constexpr u32 kComputing = 0x01, kIrqOnFactorial = 0x80;
  static constexpr u32 kIrqFactorial = 0x001, kIrqDma = 0x100;
  static constexpr u64 kDmaRun = 1, kDmaToRam = 2, kDmaIrq = 4;
  static constexpr u64 kBufferAddress = 0x40000, kBufferSize = 4096;
  static constexpr i64 kFactorialNs = 10'000, kDmaNs = 100'000;

  bool computing() const { return (status_ & kComputing) != 0; }
  bool dma_runs() const { return (dma_command_ & kDmaRun) != 0; }

  void invert(u32 value) { liveness_ = ~value; }

  void start_factorial() {
    status_ |= kComputing;
    factorial_timer_.arm_in(kFactorialNs);
  }

  void finish_factorial() {
    // 34! and all above are multiples of 2^32.
    u32 product = factorial_ < 34 ? 1 : 0;
    for (u32 n = factorial_; product != 0 && n > 1; --n) product *= n;
    factorial_ = product;
    status_ &= ~kComputing;
    if ((status_ & kIrqOnFactorial) != 0) raise(kIrqFactorial);
  }

  void start_dma(u64 command) {
    if ((command & kDmaRun) == 0) return;
    dma_command_ = command;
    dma_timer_.arm_in(kDmaNs);
  }

  void finish_dma() {
    const bool to_ram = (dma_command_ & kDmaToRam) != 0;
    const bool done = to_ram ? copy_to_ram() : copy_from_ram();
    dma_command_ &= ~kDmaRun;
    edu_dma(*this, dma_source_, dma_destination_, dma_count_, done);
    if (done && (dma_command_ & kDmaIrq) != 0) raise(kIrqDma);
  }

  bool copy_to_ram() {
    if (!in_buffer(dma_source_)) return false;
    const auto part = std::span(buffer_).subspan(dma_source_ - kBufferAddress, dma_count_);
    return dma().write(masked(dma_destination_), part) == MemResult::Ok;
  }

  bool copy_from_ram() {
    if (!in_buffer(dma_destination_)) return false;
    const auto part = std::span(buffer_).subspan(dma_destination_ - kBufferAddress, dma_count_);
    return dma().read(masked(dma_source_), part) == MemResult::Ok;
  }

  // Whether all of [address, address + count) lies in the buffer; the transfer must not happen if
  // not.
  bool in_buffer(u64 address) const {
    const bool inside = address >= kBufferAddress && address - kBufferAddress < kBufferSize &&
                        dma_count_ <= kBufferSize - (address - kBufferAddress);
    if (!inside)
      log_guest("edu", "DMA of {:#x} bytes at {:#x} is outside of the buffer", dma_count_, address);
    return inside;
  }

  u64 masked(u64 address) const {
    if ((address & ~dma_mask_) != 0)
      log_guest("edu", "DMA address {:#x} has more bits than the mask {:#x}", address, dma_mask_);
    return address & dma_mask_;
  }

  void raise(u32 bits) {
    irq_status_ |= bits;
    if (irq_status_ != 0 && !notify_msi()) set_intx(true);
  }

  void acknowledge(u32 bits) {
    irq_status_ &= ~bits;
    if (irq_status_ == 0) set_intx(false);
  }

  u64 dma_mask_{};
  u32 liveness_{}, factorial_{}, status_{}, irq_status_{};
  u64 dma_source_{}, dma_destination_{}, dma_count_{}, dma_command_{};
  std::array<u8, kBufferSize> buffer_{};
  Timer factorial_timer_, dma_timer_;
  RegisterBank mmio_;
};

const RegisterType<Edu> registration;

}  // namespace
}  // namespace rhea::hw
