// SPDX-License-Identifier: GPL-2.0-or-later
// The base class of PCI devices: properties, life, configuration space.
#include "rhea/hw/pci.h"
#include "softmmu/device_faults.h"

#include <charconv>

namespace rhea {
namespace {

constexpr u8 kHeaderMultifunction = 0x80;
constexpr u16 kStatusErrors = 0xf900;
// I/O, memory, bus master, parity, SERR#, INTx disable.
constexpr u16 kCommandWritable = 0x0547;

// "1f.7", "0x1f.0x7" or "1f"; -1 in the text means any.
std::optional<i32> parse_address(std::string_view text) {
  if (text == "-1") return -1;
  const auto number = [](std::string_view part) -> std::optional<unsigned> {
    if (part.starts_with("0x") || part.starts_with("0X")) part.remove_prefix(2);
    unsigned value = 0;
    const char* end = part.data() + part.size();
    const auto [stop, error] = std::from_chars(part.data(), end, value, 16);
    if (part.empty() || error != std::errc() || stop != end) return std::nullopt;
    return value;
  };
  const auto dot = text.find('.');
  const auto slot = number(text.substr(0, dot));
  const auto function = dot == std::string_view::npos ? 0U : number(text.substr(dot + 1));
  if (!slot || !function || *slot > 31 || *function > 7) return std::nullopt;
  return static_cast<i32>(*slot << 3 | *function);
}

}  // namespace

PciDevice::PciDevice() {
  config_set16(pci::kCommand, 0, kCommandWritable);
  config_set_w1c(pci::kStatus, kStatusErrors);
  config_set8(pci::kCacheLineSize, 0, 0xff);
  config_set8(pci::kLatencyTimer, 0, 0xff);
  config_set8(pci::kInterruptLine, 0, 0xff);
  if (const TypeInfo* made = type_or_null(); made != nullptr && made->identity != nullptr)
    set_identity(*static_cast<const PciIdentity*>(made->identity));
}

void PciDevice::describe(Schema<PciDevice>& s) {
  s.computed(
       "addr", "int32",
       [](const PciDevice& d) -> Value {
         return d.parent_bus() != nullptr ? i64{d.devfn_} : i64{d.addr_};
       },
       [](PciDevice& d, const Value& value) { return d.set_addr(value); })
      .help("slot and function, hexadecimal: 06.0 or 06; -1 for any");
  s.computed(
       "romfile", "str",
       [](const PciDevice& d) -> Value {
         return d.romfile_.value_or(std::string(d.identity_romfile_));
       },
       [](PciDevice& d, const Value& value) -> Result<> {
         d.romfile_ = TRY(parse_string(value));
         return {};
       })
      .help("option ROM image; empty for none");
  s.property("rombar", &PciDevice::rombar_, u32{1}).help("0: no option ROM");
  s.property("romsize", &PciDevice::romsize_, ~u32{0}).help("bytes of the option ROM's BAR");
  s.property("multifunction", &PciDevice::multifunction_, false)
      .help("let other functions share the slot");
  s.computed(
       "x-fault", "str",
       [](const PciDevice& d) -> Value {
         const DeviceFaults* faults = FaultTable::find(&d);
         return faults != nullptr ? faults->text() : "";
       },
       [](PciDevice& d, const Value& value) -> Result<> {
         const std::string text = TRY(parse_string(value));
         if (!d.in_machine()) return fail("it is a device's own, not for -global");
         if (text.empty() && FaultTable::find(&d) == nullptr) return {};
         DeviceFaults& faults = d.machine().service<FaultTable>().make(d);
         if (!faults.late.initialised()) {
           faults.late.init(d.machine().virtual_clock(), [&d, &faults] {
             faults.deliver(d.machine().interrupts, [&d] { d.update_intx(); });
           });
           // Within an access: the line falls soon after.
           faults.on_removal = [&faults] { faults.late.arm_in(1); };
         }
         TRY(faults.configure(text));
         if (!d.base_realized_) return {};
         d.update_intx();
         d.update_msix_events();
         return {};
       })
      .settable_when_realized()
      .help(
          "what goes wrong on purpose: drop-irq, delay-irq=NS, fail-dma, ones, surprise-remove; "
          "each "
          "@N or %P; joined by +");
  s.state("config", &PciDevice::config_);
  s.state("intx-level", &PciDevice::intx_level_);
  s.subsection(
      "msix", [](const PciDevice& d) { return d.msix_.cap != 0; },
      [](auto& fields) { fields.state("msix", &PciDevice::msix_); });
  s.after_load(&PciDevice::config_loaded);
}

Result<> PciDevice::set_addr(const Value& value) {
  std::optional<i32> address;
  if (const auto* text = std::get_if<std::string>(&value)) {
    address = parse_address(*text);
    if (!address)
      return fail("'{}' is no PCI address (slot.function, hexadecimal, up to 1f.7)", *text);
  } else {
    const i64 number = TRY(parse_signed(value, {.min = -1, .max = 0xff}));
    address = static_cast<i32>(number);
  }
  addr_ = *address;
  return {};
}

void PciDevice::set_identity(const PciIdentity& identity) {
  config_set16(pci::kVendorId, identity.vendor);
  config_set16(pci::kDeviceId, identity.device);
  config_set8(pci::kRevision, identity.revision);
  config_set8(pci::kProgIf, static_cast<u8>(identity.klass));
  config_set16(pci::kSubclass, static_cast<u16>(identity.klass >> 8));
  config_set16(pci::kSubsystemVendorId, identity.subsystem_vendor);
  config_set16(pci::kSubsystemId, identity.subsystem);
  config_set8(pci::kInterruptPin, identity.interrupt_pin);
  identity_multifunction_ = identity.multifunction;
  identity_romfile_ = identity.romfile;
}

Result<> PciDevice::realize() {
  if (config16(pci::kVendorId) == 0)
    return fail("{}: it does not say which PCI device it is: `static constexpr PciIdentity kPci`",
                type().name);
  config_set8(pci::kHeaderType, is_multifunction() ? kHeaderMultifunction : 0);
  dma_.init(*this, pci_bus().dma_space(), devfn_);
  base_realized_ = true;
  if (lock_domain() != nullptr)
    elsewhere_.posted.init(machine(), [this] { tell_from_elsewhere(); });
  TRY(load_option_rom());
  apply_config();
  return {};
}

void PciDevice::release() {
  if (!base_realized_) return;
  if (DeviceFaults* faults = FaultTable::find(this)) faults->forget_late();
  config_put16(pci::kCommand, 0);
  intx_level_ = false;
  elsewhere_.forget();
  apply_config();
  forget_layout();
  base_realized_ = false;
}

void PciDevice::reset_enter(ResetKind) {
  if (DeviceFaults* faults = FaultTable::find(this)) faults->forget_late();
  config_ = reset_value_;
  intx_level_ = false;
  elsewhere_.forget();
  reset_msix();
  apply_config();
}

Result<> PciDevice::config_loaded() {
  // A header of another device would make BARs and capabilities mean something else.
  const auto same = [this](unsigned reg, unsigned length) {
    for (unsigned i = reg; i < reg + length; ++i)
      if (((config_[i] ^ reset_value_[i]) & ~(writable_[i] | w1c_[i])) != 0) return false;
    return true;
  };
  if (!same(pci::kVendorId, 4) || !same(pci::kProgIf, 3) || !same(pci::kHeaderType, 1) ||
      !same(pci::kCapabilities, 1) || !same(pci::kInterruptPin, 1))
    return fail("the saved PCI header is another device's");
  for (unsigned reg = pci::kBar0; reg < pci::kInterruptLine; ++reg) {
    const u8 fixed = static_cast<u8>(~(writable_[reg] | w1c_[reg]));
    config_[reg] = static_cast<u8>((config_[reg] & ~fixed) | (reset_value_[reg] & fixed));
  }
  msix_loaded();
  apply_config();
  return {};
}

u32 PciDevice::config_read(unsigned reg, unsigned size) {
  u32 value = 0;
  for (unsigned i = 0; i < size && reg + i < kConfigSize; ++i)
    value |= static_cast<u32>(config_[reg + i]) << (8 * i);
  return value;
}

void PciDevice::config_write(unsigned reg, u32 value, unsigned size) {
  const u16 power = power_control();
  for (unsigned i = 0; i < size && reg + i < kConfigSize; ++i) {
    const unsigned at = reg + i;
    const auto byte = static_cast<u8>(value >> (8 * i));
    config_[at] = static_cast<u8>((config_[at] & ~writable_[at]) | (byte & writable_[at]));
    config_[at] = static_cast<u8>(config_[at] & ~(byte & w1c_[at]));
  }
  if (pm_cap_ != 0) keep_power_state(power);
  apply_config();
}

void PciDevice::apply_config() {
  dma_.set_enabled((config16(pci::kCommand) & pci::kCommandMaster) != 0 && powered());
  elsewhere_.messages_on = msi_enabled() || msix_enabled();
  update_mappings();
  update_intx();
  update_msix_events();
  send_pending_msix();
}

void PciDevice::config_set8(unsigned reg, u8 value, u8 writable) {
  RHEA_ASSERT(reg < kConfigSize);
  config_[reg] = reset_value_[reg] = value;
  writable_[reg] = writable;
}

void PciDevice::config_set16(unsigned reg, u16 value, u16 writable) {
  config_set8(reg, static_cast<u8>(value), static_cast<u8>(writable));
  config_set8(reg + 1, static_cast<u8>(value >> 8), static_cast<u8>(writable >> 8));
}

void PciDevice::config_set32(unsigned reg, u32 value, u32 writable) {
  config_set16(reg, static_cast<u16>(value), static_cast<u16>(writable));
  config_set16(reg + 2, static_cast<u16>(value >> 16), static_cast<u16>(writable >> 16));
}

void PciDevice::config_set_w1c(unsigned reg, u16 bits) {
  RHEA_ASSERT(reg + 1 < kConfigSize);
  w1c_[reg] = static_cast<u8>(bits);
  w1c_[reg + 1] = static_cast<u8>(bits >> 8);
}

void PciDevice::config_put8(unsigned reg, u8 value) {
  RHEA_ASSERT(reg < kConfigSize);
  config_[reg] = value;
}

void PciDevice::config_put16(unsigned reg, u16 value) {
  config_put8(reg, static_cast<u8>(value));
  config_put8(reg + 1, static_cast<u8>(value >> 8));
}

void PciDevice::config_put32(unsigned reg, u32 value) {
  config_put16(reg, static_cast<u16>(value));
  config_put16(reg + 2, static_cast<u16>(value >> 16));
}

namespace {
const RegisterAbstractType<PciDevice, Device> registration;
}  // namespace

}  // namespace rhea
