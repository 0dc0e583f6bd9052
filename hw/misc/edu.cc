// SPDX-License-Identifier: GPL-2.0-or-later
// The educational PCI device: what a driver writer can practise on.
#include "hw/misc/trace_events.h"
#include "rhea/hw/pci.h"
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
      .vendor = 0x1234, .device = 0x11e8, .klass = 0x00ff00, .revision = 0x10};
  static void describe(Schema<Edu>& s) {
    s.help("educational device: registers, interrupts, DMA");
    s.property("dma_mask", &Edu::dma_mask_, u64{0x0fff'ffff})
        .help("address bits its DMA engine has");
    s.state("liveness", &Edu::liveness_);
    s.state("factorial", &Edu::factorial_);
    s.state("status", &Edu::status_);
    s.state("irq-status", &Edu::irq_status_);
    s.state("dma-source", &Edu::dma_source_);
    s.state("dma-destination", &Edu::dma_destination_);
    s.state("dma-count", &Edu::dma_count_);
    s.state("dma-command", &Edu::dma_command_);
    s.state("buffer", &Edu::buffer_);
    s.state("factorial-timer", &Edu::factorial_timer_);
    s.state("dma-timer", &Edu::dma_timer_);
  }

  Edu() { set_identity(kPci); }

  Result<> realize() override {
    TRY(PciDevice::realize());
    set_interrupt_pin(1);
    add_msi();
    factorial_timer_.init(machine().virtual_clock(), [this] { finish_factorial(); });
    dma_timer_.init(machine().virtual_clock(), [this] { finish_dma(); });
    mmio_.init_io(*this, "edu-mmio", 1 * MiB, io<&Edu::read, &Edu::write>({.min = 4, .max = 8}));
    bar(0, mmio_);
    return {};
  }

  void unrealize() override {
    factorial_timer_.cancel();
    dma_timer_.cancel();
    PciDevice::unrealize();
    mmio_.reset();
  }

  void reset(ResetKind) override {
    factorial_timer_.cancel();
    dma_timer_.cancel();
    liveness_ = factorial_ = status_ = irq_status_ = 0;
    dma_source_ = dma_destination_ = dma_count_ = dma_command_ = 0;
    buffer_.fill(0);
  }

 private:
  enum Reg : u64 {
    kIdentification = 0x00,
    kLiveness = 0x04,
    kFactorial = 0x08,
    kStatus = 0x20,
    kIrqStatus = 0x24,
    kIrqRaise = 0x60,
    kIrqAck = 0x64,
    kDmaSource = 0x80,
    kDmaDestination = 0x88,
    kDmaCount = 0x90,
    kDmaCommand = 0x98,
  };
  static constexpr u64 kWideRegisters = 0x80;  ///< from here on 8 bytes are fine, too
  static constexpr u32 kIdentificationValue = 0x0100'00ed;
  static constexpr u32 kStatusComputing = 0x01, kStatusIrqOnFactorial = 0x80;
  static constexpr u32 kIrqFactorial = 0x001, kIrqDma = 0x100;
  static constexpr u64 kDmaRun = 1, kDmaToRam = 2, kDmaIrq = 4;
  static constexpr u64 kBufferAddress = 0x40000, kBufferSize = 4096;
  static constexpr i64 kFactorialNs = 10'000, kDmaNs = 100'000;

  u64 read(u64 offset, unsigned size) {
    if (offset < kWideRegisters && size != 4) return all_ones(size);
    switch (offset) {
      case kIdentification: return kIdentificationValue;
      case kLiveness: return liveness_;
      case kFactorial: return factorial_;
      case kStatus: return status_;
      case kIrqStatus: return irq_status_;
      case kDmaSource: return dma_source_;
      case kDmaDestination: return dma_destination_;
      case kDmaCount: return dma_count_;
      case kDmaCommand: return dma_command_;
      default: return all_ones(size);
    }
  }

  void write(u64 offset, u64 value, unsigned size) {
    if (offset < kWideRegisters && size != 4) return;
    const auto word = static_cast<u32>(value);
    switch (offset) {
      case kLiveness: liveness_ = ~word; break;
      case kFactorial: start_factorial(word); break;
      case kStatus:
        status_ = (status_ & ~kStatusIrqOnFactorial) | (word & kStatusIrqOnFactorial);
        break;
      case kIrqRaise: raise(word); break;
      case kIrqAck: acknowledge(word); break;
      case kDmaSource: write_dma(dma_source_, value); break;
      case kDmaDestination: write_dma(dma_destination_, value); break;
      case kDmaCount: write_dma(dma_count_, value); break;
      case kDmaCommand: start_dma(value); break;
      default: log_guest("edu", "write of {:#x} to nothing at {:#x}", value, offset);
    }
  }

  void start_factorial(u32 number) {
    if ((status_ & kStatusComputing) != 0) return;
    factorial_ = number;
    status_ |= kStatusComputing;
    factorial_timer_.arm_in(kFactorialNs);
  }

  void finish_factorial() {
    // 34! and all above are multiples of 2^32.
    u32 product = factorial_ < 34 ? 1 : 0;
    for (u32 n = factorial_; product != 0 && n > 1; --n) product *= n;
    factorial_ = product;
    status_ &= ~kStatusComputing;
    if ((status_ & kStatusIrqOnFactorial) != 0) raise(kIrqFactorial);
  }

  void write_dma(u64& reg, u64 value) {
    if ((dma_command_ & kDmaRun) == 0) reg = value;
  }

  void start_dma(u64 command) {
    if ((command & kDmaRun) == 0 || (dma_command_ & kDmaRun) != 0) return;
    dma_command_ = command;
    dma_timer_.arm_in(kDmaNs);
  }

  void finish_dma() {
    const bool to_ram = (dma_command_ & kDmaToRam) != 0;
    const bool done = to_ram ? copy_to_ram() : copy_from_ram();
    dma_command_ &= ~kDmaRun;
    edu_dma(dma_source_, dma_destination_, dma_count_, done);
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
  Region mmio_;
};

const RegisterType<Edu> registration;

}  // namespace
}  // namespace rhea::hw
