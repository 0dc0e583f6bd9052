// SPDX-License-Identifier: GPL-2.0-or-later
// "edu-iommu": a bridge that translates the DMA of the devices behind it, to practise on.
#include "hw/pci-bridge/pci_bridge.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/registers.h"
#include "softmmu/host_access.h"

#include <atomic>
#include <mutex>

namespace rhea::hw {
namespace {

/// Why an access was refused, in FAULT_REASON.
enum class IommuFault : u8 { None, NotMapped, Rights, Address, Table, Entry };

/// Rhea's own, a PCI bridge whose devices reach, once it
/// is enabled, only what a table of two levels maps, by pages of 4 KiB: bits 29 to 21 of a device's
/// address choose an entry of the 512 at TABLE, bits 20 to 12 one of the table that it names;
/// higher bits are a fault. An entry is 64 bits: 0 readable, 1 writable, 12 to 51 the address;
/// rights count on both levels, other bits are a fault. Nothing is cached: an entry counts from the
/// next access on. Tables must be in memory. The first refused access since FAULT_STATUS was
/// cleared is kept, and raises MSI or INTA# if it shall.
/// State: complete.
class EduIommu final : public PciBridge {
 public:
  static constexpr std::string_view kName = "edu-iommu";
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x7e10, .klass = 0x060400, .interrupt_pin = 1};

  static void describe(Schema<EduIommu>& s) {
    s.help("PCI bridge that translates the DMA of devices behind it");
    s.registers(&EduIommu::registers_, [](auto reg) {
       return reg.bank(
           {.name = "edu-iommu", .size = 4 * KiB, .sizes = {.min = 4, .max = 8}},
           reg("IDENTIFICATION", 0x00, 4).constant(0x0100'10ed),
           reg("CONTROL", 0x08, &EduIommu::control_)
               .writable(kEnable | kInterrupt)
               .after_write(&EduIommu::controlled)
               .field("ENABLE", kEnable)
               .field("INTERRUPT", kInterrupt),
           reg("TABLE", 0x10, &EduIommu::table_)
               .writable(kAddress)
               .after_write(&EduIommu::table_changed)
               .help("address of the upper table"),
           reg("FAULT_STATUS", 0x18, 4)
               .read_by(&EduIommu::fault_status)
               .write_by(&EduIommu::clear_faults)
               .field("VALID", kFaultValid)
               .field("OVERFLOW", kFaultOverflow),
           reg("FAULT_REASON", 0x1c, 4)
               .read_by(&EduIommu::fault_reason)
               .help("1 not mapped, 2 rights, 3 address too high, 4 table not in memory, 5 entry"),
           reg("FAULT_ADDRESS", 0x20, 8).read_by(&EduIommu::fault_address),
           reg("FAULT_SOURCE", 0x28, 4)
               .read_by(&EduIommu::fault_source)
               .help("bit 31: a write; below, bus, device and function"));
     }).bar(0);
    s.state("fault-status", &EduIommu::fault_status_).range(0, kFaultValid | kFaultOverflow);
    s.state("fault-reason", &EduIommu::fault_reason_).range(0, 5);
    s.state("fault-address", &EduIommu::fault_address_);
    s.state("fault-source", &EduIommu::fault_source_);
    s.state("told", &EduIommu::told_);
  }

  Result<> realize() override {
    TRY(PciBridge::realize());
    tell_.init(machine().loop(), [this] { tell(); });
    return {};
  }
  void reset(ResetKind kind) override {
    PciBridge::reset(kind);
    {
      const std::lock_guard lock(fault_mutex_);
      fault_status_ = fault_reason_ = 0;
      fault_address_ = 0;
      fault_source_ = 0;
    }
    follow();
  }
  Result<> post_load(unsigned version) override {
    TRY(PciBridge::post_load(version));
    follow();
    return {};
  }

 protected:
  AddressSpace& downstream_view() override {
    root_.init_container(this, "edu-iommu-view", Region::kWholeSpace);
    straight_.init_alias(this, "edu-iommu-straight", upstream().root(), 0, Region::kWholeSpace);
    translated_.init_iommu(this, "edu-iommu-translated", Region::kWholeSpace, &EduIommu::translate,
                           this);
    translated_.set_enabled(false);
    root_.add(0, straight_);
    root_.add(0, translated_, 1);
    return view_.emplace(machine().map(), "edu-iommu", root_);
  }
  void close_view() override { view_.reset(); }

 private:
  static constexpr u32 kEnable = 1, kInterrupt = 2, kFaultValid = 1, kFaultOverflow = 2;
  static constexpr u32 kSourceWrite = 1U << 31;
  static constexpr u64 kAddress = 0x000f'ffff'ffff'f000, kRead = 1, kWrite = 2;
  static constexpr unsigned kAddressBits = 30, kUpperShift = 21, kLowerShift = 12;
  static constexpr u64 kIndexMask = 511, kPageMask = 0xfff;

  void controlled(u32, u32) { follow(); }
  void table_changed(u64, u64) { follow(); }
  // Translations come on any thread: they see these.
  void follow() {
    table_now_ = table_;
    translated_.set_enabled((control_ & kEnable) != 0);
    tell();
  }

  static IommuTranslation translate(void* opaque, u64 address, bool write, MemAttrs attrs) {
    return static_cast<EduIommu*>(opaque)->translated(address, write, attrs);
  }

  IommuTranslation translated(u64 address, bool write, MemAttrs attrs) {
    // No master itself, it reads no table: what is behind it is off, too.
    if (!dma().enabled()) return {};
    u64 at = table_now_;
    IommuFault why = address >> kAddressBits != 0 ? IommuFault::Address : IommuFault::None;
    for (const unsigned shift : {kUpperShift, kLowerShift})
      if (why == IommuFault::None) why = step(at, at + 8 * (address >> shift & kIndexMask), write);
    if (why != IommuFault::None) {
      if (!attrs.debug) keep_fault(why, address, write, attrs);
      return {.mask = kPageMask};  // all of the page is refused at once
    }
    return {.target = &upstream(),
            .address = at,
            .mask = kPageMask,
            .readable = !write,
            .writable = write};
  }

  /// One level: `at` becomes what the entry at `where` names. Reads memory alone, so that it waits
  /// for nobody.
  IommuFault step(u64& at, u64 where, bool write) {
    const auto span = upstream().map_direct(where, sizeof(u64), false);
    if (!span || span->length < sizeof(u64)) return IommuFault::Table;
    const u64 entry = softmmu::load_host(span->host, sizeof(u64));
    if ((entry & (kRead | kWrite)) == 0) return IommuFault::NotMapped;
    if ((entry & ~(kAddress | kRead | kWrite)) != 0) return IommuFault::Entry;
    if ((entry & (write ? kWrite : kRead)) == 0) return IommuFault::Rights;
    at = entry & kAddress;
    return IommuFault::None;
  }

  void keep_fault(IommuFault why, u64 address, bool write, MemAttrs attrs) {
    {
      const std::lock_guard lock(fault_mutex_);
      if ((fault_status_ & kFaultValid) != 0) {
        fault_status_ |= kFaultOverflow;
        return;
      }
      fault_status_ = kFaultValid;
      fault_reason_ = static_cast<u8>(why);
      fault_address_ = address;
      fault_source_ = attrs.requester_id | (write ? kSourceWrite : 0);
    }
    // Whoever translates may hold any lock.
    tell_.schedule();
  }

  void tell() {
    const bool wanted = (control_ & kInterrupt) != 0 && (fault_status() & kFaultValid) != 0;
    if (wanted && !std::exchange(told_, true) && notify_msi()) return;
    told_ = wanted;
    set_intx(wanted && !msi_enabled());
  }

  u32 fault_status() const { return kept(&EduIommu::fault_status_); }
  u32 fault_reason() const { return kept(&EduIommu::fault_reason_); }
  u64 fault_address() const { return kept(&EduIommu::fault_address_); }
  u32 fault_source() const { return kept(&EduIommu::fault_source_); }
  template <class T>
  T kept(T EduIommu::* field) const {
    const std::lock_guard lock(fault_mutex_);
    return this->*field;
  }
  void clear_faults(u32 bits) {
    {
      const std::lock_guard lock(fault_mutex_);
      fault_status_ &= static_cast<u8>(~bits);
    }
    tell();
  }

  RegisterBank registers_;
  u32 control_{0};
  u64 table_{0};
  std::atomic<u64> table_now_{0};
  mutable std::mutex fault_mutex_;
  u8 fault_status_{0}, fault_reason_{0};  ///< these four under the mutex
  u64 fault_address_{0};
  u32 fault_source_{0};
  bool told_{false};
  Region root_, straight_, translated_;
  std::optional<AddressSpace> view_;
  Deferred tell_;
};

const RegisterType<EduIommu> registration;

}  // namespace
}  // namespace rhea::hw
