// SPDX-License-Identifier: GPL-2.0-or-later
// The 82093AA I/O APIC.
#include "hw/intc/trace_events.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/interrupt_status.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <array>

namespace rhea::hw {
namespace {

constexpr u64 kBase = 0xfec0'0000, kApart = 0x1'0000;
constexpr unsigned kPins = 24;

/// What a redirection table entry says (datasheet 290566, 3.2.4).
class Entry {
 public:
  static constexpr u32 kRemoteIrr = 1u << 14;
  static constexpr u32 kMasked = 1u << 16;
  static constexpr u32 kDeliveryStatus = 1u << 12;
  static constexpr u32 kReadOnly = kDeliveryStatus | kRemoteIrr;

  explicit Entry(u64 raw) : low_(static_cast<u32>(raw)), high_(static_cast<u32>(raw >> 32)) {}

  u8 vector() const { return static_cast<u8>(low_); }
  bool masked() const { return (low_ & kMasked) != 0; }
  bool remote_irr() const { return (low_ & kRemoteIrr) != 0; }
  /// SMI, NMI, INIT and ExtINT are edges whatever the trigger bit says.
  bool level() const { return (low_ & kLevel) != 0 && delivery_mode() <= kLowestPriority; }
  MsiMessage message() const;

 private:
  static constexpr u32 kLevel = 1u << 15;
  static constexpr u32 kLogical = 1u << 11;
  static constexpr unsigned kLowestPriority = 1;

  unsigned delivery_mode() const { return low_ >> 8 & 7; }

  u32 low_;
  u32 high_;
};

// The message of the SDM's volume 3, 11.11. The destination's eight bits are the entry's highest;
// the eight below them, which the 82093AA reserves, follow in the address for an interrupt
// remapper.
MsiMessage Entry::message() const {
  constexpr u32 asserted = 1u << 14;
  u64 address = 0xfee0'0000 | u64{high_ >> 16} << 4;
  if ((low_ & kLogical) != 0) address |= 1u << 2;
  u32 data = vector() | delivery_mode() << 8;
  if (level()) data |= asserted | kLevel;
  return {.address = address, .data = data};
}

/// 82093AA I/O APIC (datasheet 290566) at 0xfec00000 + 0x10000 * `number` with 24 inputs, "" 0 to
/// 23, and the EOI register that later chips have (version 0x20). State: complete. Missing: input
/// polarity (pins carry logical levels), arbitration between several.
class Ioapic final : public Device, public EoiListener, public InterruptStatus {
 public:
  static constexpr std::string_view kName = "ioapic";
  static void describe(Schema<Ioapic>& s) {
    s.help("82093AA I/O APIC");
    s.board_only();
    s.property("version", &Ioapic::version_, u8{0x20})
        .help("0x11, or 0x20 which has the EOI register");
    s.property("number", &Ioapic::number_, u8{0}).range(0, 1).help("which of the board's it is");
    s.state("id", &Ioapic::id_).range(0, 15);
    s.state("select", &Ioapic::select_);
    s.state("lines", &Ioapic::lines_).range(0, kAllPins).survives_reset();
    s.state("requests", &Ioapic::requests_).range(0, kAllPins);
    s.state("redirection", &Ioapic::redirection_);
  }

  Ioapic() { init_gpio_in<&Ioapic::set_irq>(*this, "", kPins); }

  void end_of_interrupt(u8 vector) override;
  std::string interrupt_status() override {
    return ioapic_status({.version = version_,
                          .id = id_,
                          .select = select_,
                          .irr = requests_,
                          .redirection = redirection_});
  }
  std::optional<std::vector<u64>> interrupt_counts() const override {
    return std::vector<u64>(counts_.begin(), counts_.end());
  }
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr u32 kAllPins = (1u << kPins) - 1;
  static constexpr u8 kVersionWithEoi = 0x20;

  void set_irq(unsigned pin, bool level);
  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);
  u32 read_register() const;
  void write_register(u32 value);
  void write_entry(unsigned pin, bool high_half, u32 value);
  void service(unsigned pin);
  void tell_route(unsigned pin);
  Entry entry(unsigned pin) const { return Entry(redirection_[pin]); }

  u8 version_{}, number_{};
  u8 id_{0};
  u8 select_{0};
  u32 lines_{0};  ///< levels of the pins
  u32 requests_{
      0};  ///< what waits to be sent: latched edges, and the levels of level-triggered pins
  std::array<u64, kPins> redirection_{};
  std::array<u64, kPins> counts_{};  ///< how often each input rose; not part of the state
  Region region_;
};

Result<> Ioapic::realize() {
  if (version_ != 0x11 && version_ != kVersionWithEoi)
    return fail("Property 'ioapic.version' is {:#x}: it must be 0x11 or 0x20", version_);
  region_.init_io(*this, "ioapic", 0x1000, io<&Ioapic::read, &Ioapic::write>());
  machine().system_memory().add(kBase + kApart * number_, region_, 1);
  machine().interrupts.ioapic = this;
  on_unrealize([this] {
    if (machine().interrupts.ioapic == this) machine().interrupts.ioapic = nullptr;
  });
  return {};
}

void Ioapic::reset(ResetKind) {
  id_ = 0;
  select_ = 0;
  requests_ = 0;
  redirection_.fill(Entry::kMasked);
  for (unsigned pin = 0; pin < kPins; ++pin) tell_route(pin);
}

Result<> Ioapic::post_load(unsigned) {
  for (unsigned pin = 0; pin < kPins; ++pin) tell_route(pin);
  return {};
}

void Ioapic::set_irq(unsigned pin, bool level) {
  ioapic_set_irq(*this, pin, level);
  const u32 bit = 1u << pin;
  const bool rises = level && (lines_ & bit) == 0;
  if (rises) ++counts_[pin];
  lines_ = level ? lines_ | bit : lines_ & ~bit;
  if (entry(pin).level())
    requests_ = level ? requests_ | bit : requests_ & ~bit;
  else if (rises && !entry(pin).masked())  // an edge at a masked pin is lost (datasheet, 3.2.4)
    requests_ |= bit;
  service(pin);
}

// Sends what the pin asks for, if it may.
void Ioapic::service(unsigned pin) {
  const u32 bit = 1u << pin;
  const Entry e = entry(pin);
  if ((requests_ & bit) == 0 || e.masked()) return;
  if (e.level()) {
    if (e.remote_irr()) return;
    redirection_[pin] |= Entry::kRemoteIrr;
  } else {
    requests_ &= ~bit;
  }
  const MsiMessage message = e.message();
  ioapic_send(*this, pin, message.address, message.data);
  if (machine().interrupts.send_msi) machine().interrupts.send_msi(message);
}

void Ioapic::end_of_interrupt(u8 vector) {
  ioapic_eoi(*this, vector);
  for (unsigned pin = 0; pin < kPins; ++pin) {
    if (!entry(pin).level() || !entry(pin).remote_irr() || entry(pin).vector() != vector) continue;
    redirection_[pin] &= ~u64{Entry::kRemoteIrr};
    service(pin);
  }
}

constexpr u64 kSelect = 0x00;
constexpr u64 kWindow = 0x10;
constexpr u64 kEoi = 0x40;

u64 Ioapic::read(u64 offset, unsigned size) {
  switch (offset) {
    case kSelect: return select_;
    case kWindow: return size == 4 ? read_register() : 0;
    default: return 0;
  }
}

void Ioapic::write(u64 offset, u64 value, unsigned size) {
  if (offset == kSelect) {
    select_ = static_cast<u8>(value);
  } else if (size != 4) {
    log_guest("ioapic", "{}-byte write at {:#x}", size, offset);
  } else if (offset == kWindow) {
    write_register(static_cast<u32>(value));
  } else if (offset == kEoi && version_ >= kVersionWithEoi) {
    end_of_interrupt(static_cast<u8>(value));
  } else {
    log_guest("ioapic", "write at {:#x}", offset);
  }
}

enum Register : u8 { kId = 0x00, kVersion = 0x01, kArbitration = 0x02, kRedirection = 0x10 };

u32 Ioapic::read_register() const {
  if (select_ == kId || select_ == kArbitration) return u32{id_} << 24;
  if (select_ == kVersion) return (kPins - 1) << 16 | version_;
  if (select_ < kRedirection || select_ >= kRedirection + 2 * kPins) return 0;
  const unsigned index = select_ - kRedirection;
  return static_cast<u32>(redirection_[index / 2] >> (32 * (index % 2)));
}

void Ioapic::write_register(u32 value) {
  ioapic_write(*this, select_, value);
  if (select_ == kId)
    id_ = value >> 24 & 0xf;
  else if (select_ >= kRedirection && select_ < kRedirection + 2 * kPins)
    write_entry((select_ - kRedirection) / 2u, select_ % 2 != 0, value);
  else
    log_guest("ioapic", "write of register {:#x}", select_);
}

void Ioapic::write_entry(unsigned pin, bool high_half, u32 value) {
  const u32 bit = 1u << pin;
  u64& raw = redirection_[pin];
  const bool was_level = entry(pin).level();
  if (high_half) {
    raw = (raw & 0xffff'ffff) | u64{value} << 32;
  } else {
    constexpr u32 writable = 0x0001'ffff & ~Entry::kReadOnly;
    raw = (raw & (0xffff'ffff'0000'0000 | Entry::kReadOnly)) | (value & writable);
    // Guests clear a stuck remote IRR by switching to edge and back.
    if (!entry(pin).level()) raw &= ~u64{Entry::kRemoteIrr};
    if (entry(pin).level())
      requests_ = (requests_ & ~bit) | (lines_ & bit);
    else if (was_level)
      requests_ &= ~bit;
  }
  tell_route(pin);
  service(pin);
}

void Ioapic::tell_route(unsigned pin) {
  const Entry e = entry(pin);
  // Who keeps the routes has those of the first.
  if (machine().interrupts.route_changed && number_ == 0)
    machine().interrupts.route_changed(pin, e.message(), e.masked(), e.level());
}

const RegisterType<Ioapic> registration;

}  // namespace
}  // namespace rhea::hw
