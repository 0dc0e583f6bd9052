// SPDX-License-Identifier: GPL-2.0-or-later
// The ISA device that kvm-unit-tests steer interrupts and accesses with.
#include "rhea/hw/isa.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace rhea::hw {
namespace {

constexpr u16 kLatchPort = 0xe0, kFlushPort = 0xe4, kByteLatchPort = 0xe8, kIrqPort = 0x2000;
constexpr unsigned kLines = 24;
constexpr u64 kMemory = 0xff00'0000, kMemorySize = 64 * KiB;

/// Not hardware: QEMU's pc-testdev. Ports 0xe0 to 0xe3 are a latch, accessed as one register; 0xe8
/// to 0xeb are the same latch, one byte at a time. A byte written to 0x2000 + n sets global system
/// interrupt n to its truth. 64 KiB at 0xff000000 are memory that is accessed like registers.
/// State: latch, memory, levels of the interrupt lines. Missing: dropping the page that 0xe4 names
/// from the host's page tables, which a guest cannot see; writes there are only checked.
class PcTestdev final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "pc-testdev";
  static void describe(Schema<PcTestdev>& s) {
    s.help("test device of kvm-unit-tests: latch, interrupt lines, memory of registers");
    s.state("latch", &PcTestdev::latch_);
    s.state("memory", &PcTestdev::buffer_);
    s.state("levels", &PcTestdev::levels_).range(0, (u32{1} << kLines) - 1);
  }

 protected:
  Result<> realize() override {
    buffer_.resize(kMemorySize);
    latch_region_.init_io(*this, "pc-testdev-ioport", 4,
                          io<&PcTestdev::read_latch, &PcTestdev::write_latch>());
    byte_region_.init_io(*this, "pc-testdev-ioport-byte", 4,
                         io<&PcTestdev::read_latch, &PcTestdev::write_latch>({.min = 1, .max = 4},
                                                                             {.min = 1, .max = 1}));
    flush_region_.init_io(*this, "pc-testdev-flush-page", 4,
                          io<&PcTestdev::read_nothing, &PcTestdev::flush>({.min = 4, .max = 4}));
    irq_region_.init_io(*this, "pc-testdev-irq-line", kLines,
                        io<&PcTestdev::read_nothing, &PcTestdev::set_line>({.min = 1, .max = 1}));
    memory_region_.init_io(*this, "pc-testdev-iomem", kMemorySize,
                           io<&PcTestdev::read_memory, &PcTestdev::write_memory>(
                               {.min = 1, .max = 8, .unaligned = true}));
    add_port(kLatchPort, latch_region_);
    add_port(kFlushPort, flush_region_);
    add_port(kByteLatchPort, byte_region_);
    add_port(kIrqPort, irq_region_);
    add_memory(kMemory, memory_region_);
    on_unrealize([this] {
      levels_ = 0;
      drive_lines();
    });
    return {};
  }
  void reset(ResetKind) override {
    latch_ = 0;
    levels_ = 0;
    drive_lines();
    std::ranges::fill(buffer_, u8{0});
  }
  Result<> post_load(unsigned) override {
    if (buffer_.size() != kMemorySize) return fail("{} bytes of memory", buffer_.size());
    drive_lines();
    return {};
  }

 private:
  u64 read_latch(u64 offset, unsigned size) {
    return latch_ >> (8 * (offset & 3)) & all_ones(size);
  }
  void write_latch(u64 offset, u64 value, unsigned size) {
    const unsigned shift = 8 * static_cast<unsigned>(offset & 3);
    const auto mask = static_cast<u32>(all_ones(size) << shift);
    latch_ = (latch_ & ~mask) | (static_cast<u32>(value << shift) & mask);
  }

  u64 read_nothing(u64, unsigned) { return 0; }
  void flush(u64, u64 address, unsigned) {
    const RcuGuard guard;
    if (!machine().memory().map_direct(address & ~u64{0xfff}, 4096, false))
      log_guest(kName, "no memory at {:#x} to flush", address);
  }
  void set_line(u64 line, u64 value, unsigned) {
    const u32 bit = u32{1} << line;
    levels_ = value != 0 ? levels_ | bit : levels_ & ~bit;
    drive(static_cast<unsigned>(line));
  }
  // A line that was never raised has no source of ours.
  void drive(unsigned line) {
    const bool level = (levels_ >> line & 1) != 0;
    const auto& gsi = machine().interrupts.gsi;
    if (level && !lines_[line].connected() && gsi) lines_[line] = gsi(line);
    lines_[line].set(level);
  }
  void drive_lines() {
    for (unsigned line = 0; line < kLines; ++line) drive(line);
  }

  u64 read_memory(u64 offset, unsigned size) {
    u64 value = 0;
    std::memcpy(&value, &buffer_[offset], std::min<u64>(size, kMemorySize - offset));
    return value;
  }
  void write_memory(u64 offset, u64 value, unsigned size) {
    std::memcpy(&buffer_[offset], &value, std::min<u64>(size, kMemorySize - offset));
  }

  u32 latch_{0};
  u32 levels_{0};
  std::array<Irq, kLines> lines_{};
  std::vector<u8> buffer_;
  Region latch_region_, flush_region_, byte_region_, irq_region_, memory_region_;
};

const RegisterType<PcTestdev> registration;

}  // namespace
}  // namespace rhea::hw
