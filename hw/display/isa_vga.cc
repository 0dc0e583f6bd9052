// SPDX-License-Identifier: GPL-2.0-or-later
// The standard VGA as an ISA card.
#include "hw/display/vga_core.h"
#include "rhea/hw/fw_cfg.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/firmware.h"

#include <bit>

namespace rhea::hw {
namespace {

constexpr u64 kFrameBuffer = 0xe0000000;
constexpr u64 kLargestRom = 128 * KiB;
constexpr std::string_view kRom = "vgabios.bin";

/// QEMU's "isa-vga": the legacy ports and window, video memory at a fixed address; SeaBIOS gets the
/// VGA BIOS through fw_cfg. State: complete. Missing: nothing.
class IsaVga final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "isa-vga";

  static void describe(Schema<IsaVga>& s) {
    s.help("standard VGA with Bochs VBE on the ISA bus");
    s.property("vgamem_mb", &IsaVga::vgamem_mb_, u32{8})
        .range(1, 256)
        .help("video memory in MiB, a power of two");
    s.state("vga", &IsaVga::core_);
  }
  IsaVga() { set_lock_domain(core_.domain()); }

  Result<> realize() override {
    if (!std::has_single_bit(vgamem_mb_))
      return fail("vgamem_mb={} is not a power of two", vgamem_mb_);
    std::vector<u8> rom;
    FwCfg* fw_cfg = FwCfg::of(machine());
    if (fw_cfg != nullptr) {
      const std::string path = TRY(find_firmware(machine(), kRom));
      rom = TRY(read_file(path, kLargestRom));
    }
    TRY(core_.realize(*this, isa().memory(), isa().io(), static_cast<u32>(vgamem_mb_ * MiB)));
    add_memory(kFrameBuffer, core_.framebuffer());
    if (fw_cfg != nullptr) fw_cfg->replace_file(fmt::format("vgaroms/{}", kRom), std::move(rom));
    return {};
  }

  void reset(ResetKind) override { core_.reset(); }

  Result<> post_load(unsigned) override {
    core_.post_load();
    return {};
  }

 private:
  u32 vgamem_mb_{};
  VgaCore core_;
};

const RegisterType<IsaVga> registration;

}  // namespace
}  // namespace rhea::hw
