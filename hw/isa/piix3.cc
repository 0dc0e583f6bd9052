// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX3 ISA bridge: the way from PCI's interrupt links and address space to the ISA bus.
#include "hw/isa/trace_events.h"
#include "hw/pci-host/i440fx.h"
#include "rhea/hw/isa.h"
#include "rhea/hw/pci.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

constexpr unsigned kLinks = 4;

enum Reg : u8 {
  kIoRecovery = 0x4c,
  kChipSelect = 0x4e,
  kRouteControl = 0x60,
  kTopOfMemory = 0x69,
  kMiscStatus = 0x6a,
  kMotherboardIrq = 0x70,
  kMotherboardDma = 0x76,
  kProgrammableSelect = 0x78,
  kApicBase = 0x80,
  kSmiControl = 0xa0,
  kSmiEnable = 0xa2,
  kSystemEvent = 0xa4,
  kFastOffTimer = 0xa8,
  kSmiRequest = 0xaa,
  kThrottleLow = 0xac,
  kThrottleHigh = 0xae,
};
constexpr u8 kRouteOff = 0x80;
/// The ISA lines a link may be routed to; 0, 1, 2, 8 and 13 are reserved.
constexpr u16 kRoutable = 0xdef8;

constexpr u16 kResetPort = 0xcf9;
constexpr u8 kResetCpu = 0x04, kResetHard = 0x02;

/// Intel 82371SB (order 290550), function 0. Output of a link is the ISA line that PIRQRC names
/// (pins "isa-irq"); the interrupt controllers behind it are the 8259s' and the I/O APIC's inputs 0
/// to 15 (this chipset has no lines of their own for links). State: PIRQ routing, reset control,
/// the ISA bus; the other registers are storage with datasheet reset values. The edge/level control
/// register sits in the i8259 device, which uses it. Missing: chip selects that switch the RTC and
/// keyboard controller off, SMIs, fast-off and throttling.
class Piix3 final : public PciDevice {
 public:
  static constexpr std::string_view kName = "PIIX3";
  static constexpr PciIdentity kPci{
      .vendor = 0x8086, .device = 0x7000, .klass = 0x060100, .multifunction = true};
  static void describe(Schema<Piix3>& s) {
    s.help("Intel 82371SB (PIIX3) PCI to ISA bridge");
    s.board_only();
    s.state("reset-control", &Piix3::reset_control_).range(0, kResetHard);
  }

  Piix3() {
    init_gpio_in<&Piix3::set_link>(*this, "pirq", kLinks);
    for (IrqOutput& line : lines_) init_gpio_out("isa-irq", line);
    config_set16(pci::kCommand, 0x0007, 0x0108);
    config_set16(pci::kStatus, 0x0280);
    config_set8(kIoRecovery, 0x4d, 0xff);
    config_set16(kChipSelect, 0x0003, 0x01ff);
    for (unsigned link = 0; link < kLinks; ++link)
      config_set8(kRouteControl + link, kRouteOff, 0x8f);
    config_set8(kTopOfMemory, 0x02, 0xfe);
    config_set16(kMiscStatus, 0x0000, 0x00d1);
    config_set_w1c(kMiscStatus, 0x8000);
    config_set8(kMotherboardIrq, 0x80, 0xef);
    config_set16(kMotherboardDma, 0x0c0c, 0x8787);
    config_set16(kProgrammableSelect, 0x0002, 0xffff);
    config_set8(kApicBase, 0x00, 0x7f);
    config_set8(kSmiControl, 0x08, 0x1f);
    config_set16(kSmiEnable, 0x0000, 0x01ff);
    config_set32(kSystemEvent, 0x0000'0000, 0xefff'fffb);
    config_set8(kFastOffTimer, 0x0f, 0xff);
    config_set16(kSmiRequest, 0x0000);
    config_set8(kThrottleLow, 0x00, 0xff);
    config_set8(kThrottleHigh, 0x00, 0xff);
  }

  Result<> realize() override {
    TRY(PciDevice::realize());
    isa_ = &add_child("isa.0", create<IsaBus>());
    isa_->init(pci_bus().memory(), pci_bus().io());
    reset_port_.init_io(
        *this, "piix3-reset-control", 1,
        io<&Piix3::read_reset_control, &Piix3::write_reset_control>({.min = 1, .max = 1}));
    if (auto* host = dynamic_cast<I440fxHost*>(pci_bus().parent()))
      host->set_reset_port(&reset_port_);
    else
      pci_bus().io().add(kResetPort, reset_port_);
    connect_links([this](unsigned link) { return gpio_in("pirq", link); });
    on_unrealize([this] {
      connect_links([](unsigned) { return Irq(); });
      links_.fill(false);
      if (auto* host = dynamic_cast<I440fxHost*>(pci_bus().parent())) host->set_reset_port(nullptr);
    });
    return {};
  }

  void reset(ResetKind) override {
    reset_control_ = 0;
    update_lines();
  }

  Result<> post_load(unsigned) override {
    update_lines();
    return {};
  }

  void config_write(unsigned reg, u32 value, unsigned size) override {
    PciDevice::config_write(reg, value, size);
    if (reg + size <= kRouteControl || reg >= kRouteControl + kLinks) return;
    piix3_route(*this, config8(kRouteControl), config8(kRouteControl + 1),
                config8(kRouteControl + 2), config8(kRouteControl + 3));
    update_lines();
  }

 private:
  // The host bridge's pins, when the bus hangs off one that has them.
  void connect_links(const std::function<Irq(unsigned)>& target) {
    auto* host = dynamic_cast<Device*>(pci_bus().parent());
    for (unsigned link = 0; link < kLinks; ++link)
      if (host != nullptr && host->has_gpio_out("pirq", link))
        host->connect_gpio_out("pirq", link, target(link));
  }

  void set_link(unsigned link, bool level) {
    links_[link] = level;
    update_lines();
  }

  // Lines that some raised link is routed to.
  u16 wanted_lines() const {
    unsigned lines = 0;
    for (unsigned link = 0; link < kLinks; ++link) {
      const u8 route = config8(kRouteControl + link);
      if (links_[link] && (route & kRouteOff) == 0) lines |= 1U << (route & 0xf);
    }
    return static_cast<u16>(lines & kRoutable);
  }

  void update_lines() {
    const u16 wanted = wanted_lines();
    for (unsigned line = 0; line < lines_.size(); ++line)
      lines_[line].set((wanted >> line & 1) != 0);
  }

  u64 read_reset_control(u64, unsigned) { return reset_control_; }

  void write_reset_control(u64, u64 value, unsigned) {
    reset_control_ = static_cast<u8>(value & kResetHard);
    // A soft reset (INIT) resets the whole machine, too.
    if ((value & kResetCpu) != 0) machine().request_reset(ShutdownCause::GuestReset);
  }

  IsaBus* isa_{};
  std::array<bool, kLinks> links_{};  ///< what the host bridge drives, so no state of ours
  std::array<IrqOutput, 16> lines_;   ///< our ends of the ISA lines
  u8 reset_control_{0};
  Region reset_port_;
};

const RegisterType<Piix3> registration;

}  // namespace
}  // namespace rhea::hw
