// SPDX-License-Identifier: GPL-2.0-or-later
// The i440FX host bridge's PCI function: who answers between 640 KiB and 1 MiB, RAM or PCI.
#include "hw/pci-host/i440fx.h"

#include "hw/pci-host/trace_events.h"
#include "rhea/softmmu/suspension.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {
namespace {

enum Reg : u8 {
  kPmcConfig = 0x50,
  kDeturbo = 0x52,
  kBufferControl = 0x53,
  kAuxControl = 0x54,
  kRowType = 0x55,
  kDramControl = 0x57,
  kDramTiming = 0x58,
  kPam0 = 0x59,
  kRowBoundary = 0x60,
  kFixedHole = 0x68,
  kMultiTransaction = 0x70,
  kCpuLatency = 0x71,
  kSmram = 0x72,
  kErrorCommand = 0x90,
  kErrorStatus = 0x91,
  kTurboReset = 0x93,
};
constexpr u8 kSmramEnable = 0x08, kSmramLock = 0x10, kSmramClosed = 0x20, kSmramOpen = 0x40;
constexpr u8 kTurboResetCpu = 0x04;

constexpr u64 kSmramBase = 0xa0000, kSmramSize = 0x20000;
constexpr u64 kPamBase = 0xc0000, kPamSize = 0x40000;
constexpr u64 kWindowSize = kSmramSize + kPamSize;
constexpr unsigned kSegments = 13;
constexpr unsigned kBiosSegment = 12;

struct Segment {
  u64 base, size;  ///< base counts from kPamBase
};
/// Twelve of 16 KiB from 0xc0000 and the one of 64 KiB at 0xf0000, which PAM0 controls.
constexpr Segment segment(unsigned n) {
  return n == kBiosSegment ? Segment{.base = 0x30000, .size = 0x10000}
                           : Segment{.base = n * 0x4000U, .size = 0x4000};
}

enum class Shadow : u8 { Pci, ReadOnly, WriteOnly, ReadWrite };  // by the register's WE, RE bits

/// Intel 82441FX (440FX datasheet, order 290549, 3.2): the PMC's configuration registers.
/// State: PAM (reads and writes go to RAM or PCI independently), SMRAM with its lock, reset
/// control; DRAM and timing registers are storage. Missing: the fixed memory hole (FDHC), error
/// reporting.
class I440fx final : public PciDevice {
 public:
  static constexpr std::string_view kName = "i440FX";
  static constexpr PciIdentity kPci{
      .vendor = 0x8086, .device = 0x1237, .klass = 0x060000, .revision = 0x02};
  static void describe(Schema<I440fx>& s) {
    s.help("Intel 82441FX host bridge: its PCI function");
    s.board_only();
  }

  I440fx() {
    config_set16(pci::kCommand, 0x0006, 0x0102);
    config_set16(pci::kStatus, 0x0280);
    config_set8(pci::kLatencyTimer, 0, 0xf8);
    config_set16(kPmcConfig, 0x0200, 0xc3f4);
    config_set8(kDeturbo, 0x00, 0xff);
    config_set8(kBufferControl, 0x80);
    config_set8(kAuxControl, 0x00, 0x82);
    config_set16(kRowType, 0x0000, 0xffff);
    config_set8(kDramControl, 0x01, 0x77);
    config_set8(kDramTiming, 0x10, 0x7f);
    config_set8(kPam0, 0x00, 0x30);
    for (unsigned n = 1; n < 7; ++n) config_set8(kPam0 + n, 0x00, 0x33);
    for (unsigned n = 0; n < 8; ++n) config_set8(kRowBoundary + n, 0x02, 0xff);
    config_set8(kFixedHole, 0x00, 0xc0);
    config_set8(kMultiTransaction, 0x00, 0xf8);
    config_set8(kCpuLatency, 0x10, 0x1f);
    config_set8(kSmram, 0x02, 0x78);
    config_set8(kErrorCommand, 0x00, 0x1b);
    config_set_w1c(kErrorCommand, 0x1100);
    config_set8(kTurboReset, 0x00, 0x0f);
  }

  Result<> realize() override {
    auto* host = dynamic_cast<I440fxHost*>(pci_bus().parent());
    if (host == nullptr) return fail("{} needs the bus of an {}", kName, I440fxHost::kName);
    TRY(PciDevice::realize());
    regions_ = host->regions();
    TRY(write_only_.init_rom_device(
        this, "pam-write-only", kPamSize,
        io<&I440fx::read_under, &I440fx::write_through>({.min = 1, .max = 8}), this));
    map_windows(host->smram());
    machine().service<Suspension>().observe(
        {.waking = [this] { remember_pam(); }, .woken = [this](WakeSource) { recall_pam(); }},
        this);
    return {};
  }

  void reset(ResetKind) override { update_map(Fill::WriteOnly); }

  Result<> post_load(unsigned) override {
    // What reads see below a write-only segment comes with the RAM blocks.
    update_map(Fill::Nothing);
    return {};
  }

  void config_write(unsigned reg, u32 value, unsigned size) override {
    const u8 smram = config8(kSmram), turbo = config8(kTurboReset);
    PciDevice::config_write(reg, value, size);
    config_put8(kSmram, settle_smram(smram, config8(kSmram)));
    if ((config8(kTurboReset) & ~turbo & kTurboResetCpu) != 0)
      machine().request_reset(ShutdownCause::GuestReset);
    update_map(Fill::WriteOnly);
  }

 private:
  enum class Fill : u8 { Nothing, WriteOnly };

  // Locking closes SMRAM for good: until the next reset only DCLS can change.
  static u8 settle_smram(u8 before, u8 after) {
    if ((before & kSmramLock) != 0)
      return static_cast<u8>((before & ~kSmramClosed) | (after & kSmramClosed));
    if ((after & kSmramLock) != 0) after &= static_cast<u8>(~kSmramOpen);
    return after;
  }

  void map_windows(Region& smram) {
    const Transaction transaction(machine().map());
    Region& memory = *regions_.system_memory;
    // What PCI leaves free must not show the RAM behind.
    nobody_.init_io(*this, "pci-nobody", kWindowSize,
                    io<&I440fx::refuse, &I440fx::refuse>({.min = 1, .max = 8}));
    memory.add(kSmramBase, nobody_, 1);
    pci_.init_alias(this, "pci-window", *regions_.pci_memory, kSmramBase, kWindowSize);
    memory.add(kSmramBase, pci_, 2);
    smram_open_.init_alias(this, "smram-open", *regions_.ram, kSmramBase, kSmramSize);
    memory.add(kSmramBase, smram_open_, 3);
    smram_ram_.init_alias(this, "smram-low", *regions_.ram, kSmramBase, kSmramSize);
    smram.add(kSmramBase, smram_ram_);
    for (unsigned n = 0; n < kSegments; ++n) {
      const auto [base, size] = segment(n);
      ram_[n].init_alias(this, "pam-ram", *regions_.ram, kPamBase + base, size);
      shadow_[n].init_alias(this, "pam-write-only", write_only_, base, size);
      for (Region* region : {&ram_[n], &shadow_[n]}) {
        region->set_enabled(false);
        memory.add(kPamBase + base, *region, 3);
      }
    }
    mode_.fill(Shadow::Pci);
    update_smram();
  }

  Shadow wanted_mode(unsigned n) const {
    const u8 bits =
        n == kBiosSegment ? config8(kPam0) >> 4 : config8(kPam0 + 1U + n / 2) >> (4 * (n & 1));
    return static_cast<Shadow>(bits & 3);
  }

  void update_map(Fill fill) {
    const Transaction transaction(machine().map());
    update_smram();
    for (unsigned n = 0; n < kSegments; ++n) {
      const Shadow wanted = wanted_mode(n);
      if (wanted == mode_[n]) continue;
      i440fx_pam(*this, kPamBase + segment(n).base, static_cast<unsigned>(wanted));
      if (wanted == Shadow::WriteOnly && fill == Fill::WriteOnly) copy_pci(n);
      mode_[n] = wanted;
      ram_[n].set_readonly(wanted == Shadow::ReadOnly);
      ram_[n].set_enabled(wanted == Shadow::ReadOnly || wanted == Shadow::ReadWrite);
      shadow_[n].set_enabled(wanted == Shadow::WriteOnly);
    }
  }

  // Firmware that wakes a machine looks for its notes in its shadow.
  void remember_pam() {
    for (unsigned n = 0; n < pam_.size(); ++n) pam_[n] = config8(kPam0 + n);
  }
  void recall_pam() {
    for (unsigned n = 0; n < pam_.size(); ++n) config_put8(kPam0 + n, pam_[n]);
    update_map(Fill::Nothing);
  }

  void update_smram() {
    const u8 smram = config8(kSmram);
    const bool enabled = (smram & kSmramEnable) != 0;
    const bool open = enabled && (smram & kSmramOpen) != 0 && (smram & kSmramClosed) == 0;
    smram_open_.set_enabled(open);
    smram_ram_.set_enabled(enabled);
  }

  // A write-only segment reads as what PCI has there (ROMs, in practice). Firmware executes from
  // such a segment while it copies itself into the RAM below, so reads must be memory: a copy.
  void copy_pci(unsigned n) {
    const auto [base, size] = segment(n);
    AddressSpace pci(machine().map(), "pam-copy", *regions_.pci_memory);
    static_cast<void>(pci.read(kPamBase + base, {write_only_.host() + base, size}));
    write_only_.ram()->mark_dirty(base, size);
  }

  MemResult refuse(Access&) { return MemResult::Unassigned; }

  MemResult read_under(Access& access) {
    std::memcpy(&access.value, write_only_.host() + access.offset, access.size);
    return MemResult::Ok;
  }

  MemResult write_through(Access& access) {
    const u64 address = kPamBase + access.offset;
    const Region& piece = ram_at(address);
    const u64 offset = address - (&piece == regions_.ram ? 0 : piece.address());
    std::memcpy(piece.host() + offset, &access.value, access.size);
    piece.ram()->mark_dirty(offset, access.size);
    return MemResult::Ok;
  }

  const Region& ram_at(u64 address) const {
    if (regions_.ram->backed_by_ram()) return *regions_.ram;
    const auto& pieces = regions_.ram->children();
    const auto found = std::ranges::find_if(pieces, [address](const Region* piece) {
      return address >= piece->address() && address - piece->address() < piece->size();
    });
    RHEA_ASSERT(found != pieces.end());
    return **found;
  }

  I440fxRegions regions_;
  std::array<u8, 7> pam_{};  ///< while the machine wakes
  std::array<Shadow, kSegments> mode_{};
  Region nobody_, pci_, smram_open_, smram_ram_, write_only_;
  std::array<Region, kSegments> ram_, shadow_;
};

const RegisterType<I440fx> registration;

}  // namespace
}  // namespace rhea::hw
