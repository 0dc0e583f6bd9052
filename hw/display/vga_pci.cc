// SPDX-License-Identifier: GPL-2.0-or-later
// The standard VGA as a PCI card.
#include "hw/display/edid.h"
#include "hw/display/vga_core.h"
#include "rhea/hw/pci.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {
namespace {

constexpr u64 kMmioBytes = 4096;
constexpr u64 kEdidBytes = 0x400;
constexpr u64 kMmioPorts = 0x400, kMmioPortCount = 0x20;
constexpr u64 kMmioVbe = 0x500, kMmioVbeBytes = u64{2} * BochsVbe::kRegisters;
constexpr u64 kMmioExtended = 0x600, kMmioExtendedBytes = 8;
constexpr u32 kLittleEndian = 0x1e1e1e1e;

/// QEMU's "VGA" (docs/specs/standard-vga): BAR 0 video memory, BAR 2 registers: EDID at 0, ports
/// 0x3c0 to 0x3df at 0x400, dispi registers at 0x500, the extended registers at 0x600. State:
/// complete. Missing: a big-endian frame buffer.
class PciVga final : public PciDevice {
 public:
  static constexpr std::string_view kName = "VGA";
  static constexpr PciIdentity kPci{.vendor = 0x1234,
                                    .device = 0x1111,
                                    .klass = 0x030000,
                                    .revision = 2,
                                    .romfile = "vgabios-stdvga.bin"};

  static void describe(Schema<PciVga>& s);
  PciVga() { set_lock_domain(core_.domain()); }
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

 private:
  Result<> make_mmio();
  u64 edid_read(u64 offset, unsigned size);
  u64 port_read(u64 offset, unsigned size);
  void port_write(u64 offset, u64 value, unsigned size);
  u64 vbe_read(u64 offset, unsigned) { return core_.read_vbe(static_cast<u16>(offset / 2)); }
  void vbe_write(u64 offset, u64 value, unsigned) {
    core_.write_vbe(static_cast<u16>(offset / 2), static_cast<u16>(value));
  }
  u64 extended_read(u64 offset, unsigned) {
    return offset == 0 ? kMmioExtendedBytes : kLittleEndian;
  }
  void ignore_write(u64, u64, unsigned) {}

  u32 vgamem_mb_{};
  bool mmio_{}, edid_{}, extended_{};
  u32 xres_{}, yres_{}, xmax_{}, ymax_{};

  VgaCore core_;
  std::array<u8, kEdidBytes> edid_bytes_{};
  Region mmio_region_, edid_region_, ports_region_, vbe_region_, extended_region_;
};

void PciVga::describe(Schema<PciVga>& s) {
  s.help("standard VGA with Bochs VBE");
  s.property("vgamem_mb", &PciVga::vgamem_mb_, u32{16})
      .range(1, 256)
      .help("video memory in MiB, a power of two");
  s.property("mmio", &PciVga::mmio_, true).help("registers in BAR 2");
  s.property("qemu-extended-regs", &PciVga::extended_, true).help("extended registers in BAR 2");
  s.property("edid", &PciVga::edid_, true).help("describe a monitor in BAR 2");
  s.property("xres", &PciVga::xres_, u32{0})
      .range(0, 16000)
      .help("the monitor's preferred width; 0: 1280");
  s.property("yres", &PciVga::yres_, u32{0})
      .range(0, 12000)
      .help("the monitor's preferred height; 0: 800");
  s.property("xmax", &PciVga::xmax_, u32{0})
      .range(0, 16000)
      .help("the monitor's greatest width; 0: no limit");
  s.property("ymax", &PciVga::ymax_, u32{0})
      .range(0, 12000)
      .help("the monitor's greatest height; 0: no limit");
  s.state("vga", &PciVga::core_);
}

Result<> PciVga::realize() {
  if (!std::has_single_bit(vgamem_mb_))
    return fail("vgamem_mb={} is not a power of two", vgamem_mb_);
  TRY(PciDevice::realize());
  const auto memory_bytes = static_cast<u32>(vgamem_mb_ * MiB);
  TRY(core_.realize(*this, pci_bus().memory(), pci_bus().io(), memory_bytes));
  TRY(bar(0, core_.framebuffer(), BarKind::MemoryPrefetch32));
  return mmio_ ? make_mmio() : Result<>();
}

Result<> PciVga::make_mmio() {
  mmio_region_.init_container(this, "vga.mmio", kMmioBytes);
  if (edid_) {
    const auto edid =
        make_edid({.width = xres_, .height = yres_, .max_width = xmax_, .max_height = ymax_});
    std::ranges::copy(edid, edid_bytes_.begin());
    edid_region_.init_io(*this, "edid", kEdidBytes,
                         io<&PciVga::edid_read, &PciVga::ignore_write>());
    mmio_region_.add(0, edid_region_);
  }
  ports_region_.init_io(
      *this, "vga ioports remapped", kMmioPortCount,
      io<&PciVga::port_read, &PciVga::port_write>({.min = 1, .max = 4}, {.min = 1, .max = 1}));
  mmio_region_.add(kMmioPorts, ports_region_);
  vbe_region_.init_io(
      *this, "bochs dispi interface", kMmioVbeBytes,
      io<&PciVga::vbe_read, &PciVga::vbe_write>({.min = 1, .max = 4}, {.min = 2, .max = 2}));
  mmio_region_.add(kMmioVbe, vbe_region_);
  if (extended_) {
    extended_region_.init_io(
        *this, "qemu extended regs", kMmioExtendedBytes,
        io<&PciVga::extended_read, &PciVga::ignore_write>({.min = 4, .max = 4}));
    mmio_region_.add(kMmioExtended, extended_region_);
  }
  return bar(2, mmio_region_);
}

void PciVga::reset(ResetKind) { core_.reset(); }

Result<> PciVga::post_load(unsigned version) {
  TRY(PciDevice::post_load(version));
  core_.post_load();
  return {};
}

u64 PciVga::edid_read(u64 offset, unsigned size) {
  u64 value = 0;
  for (unsigned i = 0; i < size && offset + i < kEdidBytes; ++i)
    value |= static_cast<u64>(edid_bytes_[offset + i]) << (8 * i);
  return value;
}

u64 PciVga::port_read(u64 offset, unsigned) {
  return core_.read_port(static_cast<u16>(0x3c0 + offset));
}
void PciVga::port_write(u64 offset, u64 value, unsigned) {
  core_.write_port(static_cast<u16>(0x3c0 + offset), static_cast<u8>(value));
}

const RegisterType<PciVga> registration;

}  // namespace
}  // namespace rhea::hw
