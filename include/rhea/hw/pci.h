// SPDX-License-Identifier: GPL-2.0-or-later
// PCI devices: configuration space, base address registers, interrupts, option ROM, bus mastering
// (PCI Local Bus Specification 3.0).
#pragma once

#include "rhea/hw/boot_order.h"
#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/dma.h"
#include "rhea/softmmu/machine.h"
#include "rhea/softmmu/posted.h"
#include "rhea/util/event_loop.h"

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

/// What never changes of a device's header; `static constexpr PciIdentity kPci` in the class.
struct PciIdentity {
  u16 vendor{};
  u16 device{};
  u32 klass{};  ///< class, subclass, programming interface: 0x010180
  u8 revision{};
  u8 interrupt_pin{};  ///< 1: INTA#; or set_interrupt_pin() in realize()
  u16 subsystem_vendor{0x1af4};
  u16 subsystem{0x1100};
  bool multifunction{false};   ///< other functions may share the slot, whatever the property says
  std::string_view romfile{};  ///< option ROM unless the user names another (or none: romfile=)
};

/// Offsets in configuration space (type 0 header).
namespace pci {
inline constexpr u8 kVendorId = 0x00, kDeviceId = 0x02, kCommand = 0x04, kStatus = 0x06,
                    kRevision = 0x08, kProgIf = 0x09, kSubclass = 0x0a, kClass = 0x0b,
                    kCacheLineSize = 0x0c, kLatencyTimer = 0x0d, kHeaderType = 0x0e, kBar0 = 0x10,
                    kSubsystemVendorId = 0x2c, kSubsystemId = 0x2e, kRomBar = 0x30,
                    kCapabilities = 0x34, kInterruptLine = 0x3c, kInterruptPin = 0x3d;
inline constexpr u16 kCommandIo = 1, kCommandMemory = 2, kCommandMaster = 4,
                     kCommandIntxDisable = 0x400;
inline constexpr u16 kStatusInterrupt = 8, kStatusCapabilities = 0x10;
}  // namespace pci

class PciDevice;

/// A bus of 32 slots with 8 functions each. Forwards configuration accesses; routes INTx through
/// its owner.
class PciBus final : public Bus {
 public:
  static constexpr std::string_view kName = "PCI";
  std::string_view kind() const override { return "PCI"; }
  bool is_full() const override;
  bool hot_pluggable() const override { return true; }

  /// `map_irq(slot, pin)` gives the interrupt link of a device's pin (0 = INTA#), `set_irq(link,
  /// level)` drives it (wired-or is done here).
  void init(Region& memory, Region& io, AddressSpace& dma_space,
            std::function<unsigned(unsigned slot, unsigned pin)> map_irq,
            std::function<void(unsigned link, bool level)> set_irq);
  Region& memory() const { return *memory_; }
  Region& io() const { return *io_; }
  AddressSpace& dma_space() const { return *dma_space_; }
  PciDevice* device(unsigned devfn) const { return slots_[devfn & 0xff]; }
  /// Configuration mechanism accesses by (bus,) device, function and register; all ones when nobody
  /// answers.
  u32 config_read(unsigned devfn, unsigned reg, unsigned size) const;
  void config_write(unsigned devfn, unsigned reg, u32 value, unsigned size);
  /// The bus of that number: this one or one behind a bridge of it; null when there is none.
  PciBus* find(unsigned number);
  u8 number() const { return number_; }
  /// For the bridge whose secondary bus this is.
  void set_number(u8 number) { number_ = number; }
  /// What a bridge on this bus passes on of the interrupts behind it.
  void forward_intx(const PciDevice& bridge, unsigned pin, bool level) {
    set_intx(bridge, pin, level);
  }
  /// Level of an interrupt link (0..7) as the wired-or of all devices on it.
  bool link_level(unsigned link) const { return link_counts_[link & 7] != 0; }

 protected:
  Result<> assign_slot(Device& device) override;
  void release_slot(Device& device) override;

 private:
  friend class PciDevice;
  void set_intx(const PciDevice& device, unsigned pin, bool level);
  Result<> check_slot(const PciDevice& device, unsigned devfn) const;

  u8 number_{0};
  Region* memory_{};
  Region* io_{};
  AddressSpace* dma_space_{};
  std::function<unsigned(unsigned, unsigned)> map_irq_;
  std::function<void(unsigned, bool)> set_irq_;
  std::array<PciDevice*, 256> slots_{};
  std::array<unsigned, 8> link_counts_{};
};

/// Device/Port Type (PCI Express Base Specification 3.0, 7.8.2).
enum class ExpressType : u8 { Endpoint = 0, LegacyEndpoint = 1, RootComplexEndpoint = 9 };

enum class BarKind : u8 { Memory32, Memory64, MemoryPrefetch32, MemoryPrefetch64, Io };

/// Base class: a device declares `static constexpr PciIdentity kPci`, and registers its BARs,
/// capabilities and interrupt pin in realize(), after PciDevice::realize(). Configuration space,
/// BAR moves, INTx, MSI and bus-master enable, with their reset and saved state, are done here.
/// Properties: addr ("slot.function" hexadecimal, or -1), romfile, rombar, romsize, multifunction.
class PciDevice : public Device, public FirmwareNamed {
 public:
  static constexpr std::string_view kName = "pci-device";
  static constexpr std::string_view kBus = "PCI";
  using Extendable = PciDevice;
  static void describe(Schema<PciDevice>& s);
  static constexpr unsigned kConfigSize = 256;

  PciBus& pci_bus() const { return static_cast<PciBus&>(*parent_bus()); }
  u8 devfn() const { return devfn_; }
  u8 slot() const { return devfn_ >> 3; }
  u8 function() const { return devfn_ & 7; }
  /// Little-endian, any size 1, 2, 4 at any register that does not cross a dword.
  virtual u32 config_read(unsigned reg, unsigned size);
  /// Overriders call the base first. Only the writable bits change.
  virtual void config_write(unsigned reg, u32 value, unsigned size);
  u8 config8(unsigned reg) const { return config_[reg]; }
  u16 config16(unsigned reg) const {
    return static_cast<u16>(config_[reg] | config_[reg + 1] << 8);
  }
  u32 config32(unsigned reg) const {
    return config16(reg) | static_cast<u32>(config16(reg + 2)) << 16;
  }
  /// For info pci: address (all ones when unmapped), size, kind of BAR n; nullopt when there is
  /// none.
  struct BarInfo {
    BarKind kind;
    u64 address;
    u64 size;
  };
  std::optional<BarInfo> bar_info(unsigned n) const;
  bool is_multifunction() const { return multifunction_ || identity_multifunction_; }
  /// Of a bridge: the bus behind it, and which bus numbers it answers for.
  virtual PciBus* secondary_bus() const { return nullptr; }
  virtual u8 secondary_number() const { return 0; }
  virtual u8 subordinate_number() const { return 0; }
  /// Of a bridge: the ranges of ports, memory and prefetchable memory that it forwards; none where
  /// the limit is below the base.
  struct Range {
    u64 base, limit;
  };
  virtual std::array<Range, 3> forwarded() const { return {}; }
  /// By class, else by vendor and device: "ethernet@3", "ide@1,1".
  std::string firmware_name() const override;

 protected:
  PciDevice();
  /// For devices that find out before PciDevice::realize() what they are; all others have kPci.
  void set_identity(const PciIdentity& identity);
  /// BAR `n` shows `region`, whose size must be a power of two (io: >= 4, memory: >= 16). 64-bit
  /// BARs take two. The region stays the device's; it must be in no container. Its BAR places,
  /// enables and disables it. A size that cannot be is an error that names the device, and the
  /// property that has this value if there is one: `TRY(bar(0, ram_));`.
  Result<> bar(unsigned n, Region& region, BarKind kind = BarKind::Memory32);
  /// INTx: which pin the device uses (1 = INTA#; 0 none), and its level. The level is remembered
  /// and saved; it reaches the bus unless the guest disabled INTx or enabled MSI. Reset lowers it.
  void set_interrupt_pin(u8 pin);
  void set_intx(bool level);
  bool intx_level() const {
    const int wanted = elsewhere_.intx;
    return wanted < 0 ? intx_level_ : wanted != 0;
  }
  /// Gives the device an MSI capability (64-bit) with `vectors` messages: 1, 2, 4, 8, 16 or 32.
  void add_msi(unsigned vectors = 1);
  bool msi_enabled() const;
  /// Gives the device an MSI-X capability with `vectors` messages (1 to 2048). Table and pending
  /// bits lie at `offset` (a multiple of 8) of the memory BAR `n`, before what the BAR's own region
  /// shows there: 16 bytes a vector, then a bit each, to a whole 8 bytes.
  void add_msix(unsigned vectors, unsigned n, u64 offset);
  /// The same in a BAR of its own, which the base class makes.
  Result<> add_msix_bar(unsigned vectors, unsigned n, BarKind kind = BarKind::Memory32);
  bool msix_enabled() const;
  unsigned msix_vectors() const { return static_cast<unsigned>(msix_.table.size() / 4); }
  /// From now on whoever signals the eventfd `fd` (not the device's only) sends MSI-X
  /// message `vector`: any thread, any process. Where the accelerator can, nobody in between wakes
  /// up for it; while the vector is masked, or there is no such accelerator, the main loop reads
  /// the descriptor. Until unroute_msix(), or the device is unrealized; the descriptor lives as
  /// long. Main thread, machine's lock.
  void route_msix(unsigned vector, int fd);
  void unroute_msix(unsigned vector);
  /// Sends message `vector` and says true when the guest enabled MSI-X (where a masked one waits,
  /// as a pending bit) or MSI (where it is one of as many as the guest granted); else does nothing
  /// and says false. A device usually writes `if (!notify_msi()) set_intx(true);`. This and
  /// set_intx() come from any thread that holds the device's domain.
  bool notify_msi(unsigned vector = 0);
  /// The device's view of memory; follows the bus-master bit.
  const DmaMaster& dma() const { return dma_; }
  /// Reset value (at once the current one), and which bits the guest may change (write-1-to-clear
  /// bits apart).
  void config_set8(unsigned reg, u8 value, u8 writable = 0);
  void config_set16(unsigned reg, u16 value, u16 writable = 0);
  void config_set32(unsigned reg, u32 value, u32 writable = 0);
  void config_set_w1c(unsigned reg, u16 bits);
  /// Changes the current value only, as hardware does; any bit.
  void config_put8(unsigned reg, u8 value);
  void config_put16(unsigned reg, u16 value);
  void config_put32(unsigned reg, u32 value);
  /// Appends a capability of `size` bytes to the list and returns its offset. Its bytes are
  /// read-only zeroes until config_set.
  u8 add_capability(u8 id, u8 size);
  /// A capability of the vendor's own, with these bytes behind id, link and length; its offset.
  u8 add_vendor_capability(std::span<const u8> bytes);
  /// D0 and D3hot. In D3hot BARs, interrupts and bus mastering are off; nothing is reset by the way
  /// back (No_Soft_Reset).
  void add_power_management();
  /// PCI Express, version 2: registers that a driver may read and write, and nothing behind them.
  /// Its offset.
  u8 add_express(ExpressType type);

  /// Overriders call it first.
  Result<> realize() override;
  Result<> map_registers() override;
  void release() override;
  /// Configuration space goes to its reset values here, before any device's reset() (which need not
  /// call the base's).
  void reset_enter(ResetKind kind) override;

 private:
  friend class PciBus;
  static constexpr unsigned kRomBarIndex = 6, kMostVectors = 2048;
  static constexpr u64 kUnmapped = ~u64{0};
  struct Msix {
    u8 cap{0};
    std::vector<u32> table;    ///< four dwords a vector
    std::vector<u64> pending;  ///< a bit a vector
    Region table_region, pending_region, bar_region;
    /// Of a vector that has one.
    struct Event {
      int fd{-1};
      EventLoop::Watch watch;  ///< one of these two
      std::optional<u32> route;
      MsiMessage routed;
    };
    std::map<unsigned, Event> events;
    static void describe(StateFields<Msix>& s);
  };
  /// What was asked for without the machine's lock: by threads in the device's own domain, and by
  /// signals of eventfds.
  struct Elsewhere final : ObjectMember {
    explicit Elsewhere(PciDevice& of) : device(&of) {}
    void end() override {}
    void settle() override;
    PciDevice* device;
    std::atomic<int> intx{-1};  ///< a level, or nothing
    std::array<std::atomic<u64>, kMostVectors / 64> messages{};
    std::atomic<bool> messages_on{false};  ///< MSI or MSI-X, as the guest has set it last
    Posted posted;
    void forget();
  };
  struct Bar {
    Region* region{};
    BarKind kind{};
    u64 address{kUnmapped};
  };
  Result<> set_addr(const Value& value);
  u64 wanted_address(unsigned n) const;
  void add_bar(unsigned n, Region& region, BarKind kind);
  Result<> check_bar_size(unsigned n, u64 size, BarKind kind) const;
  void map_bar(Bar& bar, u64 address);
  void update_mappings();
  void update_intx();
  void send_message(const MsiMessage& message);
  void tell_from_elsewhere();
  bool powered() const;
  u16 power_control() const;
  void keep_power_state(u16 before);
  bool msix_masked(unsigned vector) const;
  void notify_msix(unsigned vector);
  void send_pending_msix();
  u64 read_msix_table(u64 offset, unsigned size);
  void write_msix_table(u64 offset, u64 value, unsigned size);
  u64 read_msix_pending(u64 offset, unsigned size);
  void write_msix_pending(u64 offset, u64 value, unsigned size);
  void reset_msix();
  void msix_loaded();
  void forget_msix();
  MsiMessage msix_message(unsigned vector) const;
  bool msix_goes_out(unsigned vector) const;
  void update_msix_event(unsigned vector, Msix::Event& event);
  void update_msix_events();
  void read_msix_event(unsigned vector, int fd);
  /// Makes everything derived from configuration space agree with it.
  void apply_config();
  /// Refuses another device's registers and moves the BARs.
  Result<> config_loaded();
  Result<> load_option_rom();
  void forget_layout();

  i32 addr_{-1};
  std::optional<std::string> romfile_;
  std::string_view identity_romfile_;
  u32 rombar_{1};
  u32 romsize_{~u32{0}};
  bool multifunction_{false};
  bool identity_multifunction_{false};
  u8 devfn_{0};
  bool base_realized_{false};  ///< realize() of this class has run
  bool intx_level_{false};
  bool intx_asserted_{false};  ///< what the bus was told
  u8 msi_cap_{0};
  u8 msi_vectors_log2_{0};
  u8 pm_cap_{0};
  Msix msix_;
  Elsewhere elsewhere_{*this};
  u8 last_capability_{0};
  u8 next_capability_{0x40};
  std::array<u8, kConfigSize> config_{};
  std::array<u8, kConfigSize> reset_value_{};
  std::array<u8, kConfigSize> writable_{};
  std::array<u8, kConfigSize> w1c_{};
  std::array<Bar, 7> bars_{};  ///< 6 is the option ROM
  Region rom_;
  DmaMaster dma_;
};

}  // namespace rhea
