// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/e1000.h"

#include "hw/net/e1000_eeprom.h"
#include "hw/net/trace_events.h"

#include <cstring>
#include <utility>

namespace rhea::hw {

using namespace e1000;

namespace {

constexpr u64 kPacketBuffer = 64 * KiB;
constexpr i64 kNegotiationNs = 100'000'000;
constexpr u32 kVlanType = 0x8100;
constexpr u8 kCacheLine = 0x10;

}  // namespace

void E1000::describe(Schema<E1000>& s) {
  s.help("Intel gigabit Ethernet");
  NetPort::declare(s, &E1000::port_);
  BootIndex::declare(s, "bootindex", &E1000::boot_index_);
  s.property("autonegotiation", &E1000::autonegotiation_, true)
      .help("a link that is negotiated anew is down for a while");
  s.property("mitigation", &E1000::mitigation_, true)
      .help("ITR, RDTR, RADV, TIDV and TADV put interrupts off");
  s.property("extra_mac_registers", &E1000::extra_registers_, true)
      .help("off: the counters that QEMU's card lacked before 2.5 stay 0");
  s.property("migrate_tso_props", &E1000::tso_props_, true)
      .help("how QEMU's snapshots are laid out: nothing here");
  s.property("init-vet", &E1000::init_vet_, true).help("VET is 0x8100 after a reset, else 0");
  declare_registers(s);
  s.state("packet-buffer", &E1000::packet_buffer_);
  s.state("eeprom", &E1000::eeprom_);
  s.state("phy", &E1000::phy_);
  s.state("link-up", &E1000::link_up_);
  s.state("negotiation", &E1000::negotiation_);
  s.state("quiet-until", &E1000::quiet_until_);
  s.state("moderation", &E1000::moderation_);
  s.state("receive-absolute-at", &E1000::receive_absolute_at_);
  s.state("send-absolute-at", &E1000::send_absolute_at_);
  s.state("receive-delay", &E1000::receive_delay_);
  s.state("send-delay", &E1000::send_delay_);
  s.state("pause", &E1000::pause_);
  s.state("context", &E1000::plain_context_);
  s.state("segment-context", &E1000::segment_context_);
  s.state("making", &E1000::making_);
  s.state("batch", &E1000::batch_);
}

E1000::E1000(u16 phy_id) : phy_id_(phy_id), packet_buffer_(kPacketBuffer) {
  set_lock_domain(domain_);
}

Result<> E1000::realize() {
  TRY(PciDevice::realize());
  config_set8(pci::kCacheLineSize, kCacheLine, 0xff);
  TRY(boot_index_.join(*this, "/ethernet-phy@0"));
  auto& clock = machine().virtual_clock();
  negotiation_.init(clock, [this] {
    phy_.finish_negotiation();
    update_link();
  });
  moderation_.init(clock, [this] { update_interrupt(); });
  receive_delay_.init(clock, [this] { raise(kIntReceived); });
  send_delay_.init(clock, [this] { raise(kIntSent); });
  pause_.init(clock, [this] { port_.send_soon(); });
  TRY(port_.attach(*this,
                   {.receive = [this](std::span<const Frame> frames) { return receive(frames); },
                    .can_send = [this] { transmit(); },
                    .link_changed =
                        [this](bool up) {
                          phy_.set_cable(up);
                          phy_may_negotiate();
                        }}));
  program_e1000(eeprom_, port_.mac(), config16(pci::kDeviceId));
  return {};
}

// Power on, or the bus. The link is up at once, which takes a real card a second.
void E1000::reset(ResetKind) {
  eeprom_.reset();
  phy_.reset(phy_id_, port_.link_up());
  negotiation_.cancel();
  packet_buffer_.assign(kPacketBuffer, 0);
  line_ = false;
  set_defaults();
}

// The MAC alone (CTRL.RST): the PHY, the EEPROM and the packet buffer stay as they are.
void E1000::soft_reset() {
  const u32 io_address = io_address_;
  for (const RegisterBank* bank : {&registers_, &ports_}) {
    const RegisterBankInfo* info = declared_registers(*bank);
    info->reset(info->self(*this));
  }
  io_address_ = io_address;
  set_defaults();
  update_interrupt();
}

// What a reset does besides the registers' own values.
void E1000::set_defaults() {
  const MacAddress mac = mac_of_e1000(eeprom_);
  ral_[0] = mac.bytes[0] | mac.bytes[1] << 8 | mac.bytes[2] << 16 | u32{mac.bytes[3]} << 24;
  rah_[0] = mac.bytes[4] | u32{mac.bytes[5]} << 8 | kAddressValid;
  vet_ = init_vet_ ? kVlanType : 0;
  for (Timer* timer : {&moderation_, &receive_delay_, &send_delay_, &pause_}) timer->cancel();
  quiet_until_ = 0;
  receive_absolute_at_ = send_absolute_at_ = -1;
  plain_context_ = segment_context_ = {};
  making_ = {};
  batch_.clear();
  link_up_ = phy_.link_up();
  // What waits in the back end is for nobody now.
  if (starved_) port_.send_soon();
}

Result<> E1000::post_load(unsigned version) {
  TRY(PciDevice::post_load(version));
  line_ = intx_level();
  // Other cables may be in the machine that it is loaded into.
  phy_.set_cable(port_.link_up());
  phy_may_negotiate();
  return {};
}

// ---- Links

void E1000::phy_may_negotiate() {
  if (phy_.negotiating() && !autonegotiation_) phy_.finish_negotiation();
  if (!phy_.negotiating())
    negotiation_.cancel();
  else if (!negotiation_.armed())
    negotiation_.arm_in(kNegotiationNs);
  update_link();
}

void E1000::update_link() {
  const bool up = phy_.link_up() && (ctrl_ & kSetLinkUp) != 0;
  if (std::exchange(link_up_, up) == up) return;
  e1000_link(*this, up);
  raise(kIntLink);
  if (up && starved_) port_.send_soon();
}

u32 E1000::read_status() const {
  u32 status = kStatusFullDuplex | kStatusSpeed1000 | kStatusDetected1000;
  if (link_up_) status |= kStatusLinkUp;
  if (pause_.armed()) status |= kStatusPaused;
  return status;
}

// ---- Registers with effects

void E1000::write_control(u32 value) {
  if ((value & kReset) != 0) return soft_reset();
  const u32 before = std::exchange(ctrl_, value);
  if ((value & ~before & kPhyReset) != 0) {
    phy_.pull_reset();
    return phy_may_negotiate();
  }
  update_link();
}

u32 E1000::read_eecd() const {
  return eecd_ | kEepromPresent | ((eecd_ & kEepromRequest) != 0 ? kEepromGrant : 0) |
         (eeprom_.data_out() ? kEepromDataOut : 0);
}

void E1000::write_eecd(u32 value) {
  eecd_ = value;
  eeprom_.drive((value & kEepromSelect) != 0, (value & kEepromClock) != 0,
                (value & kEepromDataIn) != 0);
}

void E1000::write_eerd(u32 value) {
  const u32 address = value >> 8 & 0xff;
  eerd_ = address << 8;
  if ((value & kEepromReadStart) == 0) return;
  // Beyond its end an EEPROM begins again.
  eerd_ |= u32{eeprom_.word(address)} << 16 | kEepromReadDone;
}

void E1000::write_mdic(u32 value) {
  const u32 operation = value >> 26 & 3, phy = value >> 21 & 0x1f, reg = value >> 16 & 0x1f;
  mdic_ = (value & ~kMdicError) | kMdicReady;
  if (phy != kPhyAddress || (operation != kMdicRead && operation != kMdicWrite)) {
    mdic_ |= kMdicError;
  } else if (operation == kMdicRead) {
    mdic_ = (mdic_ & ~u32{0xffff}) | phy_.read(reg);
  } else {
    phy_.write(reg, static_cast<u16>(value));
    phy_may_negotiate();
  }
  if ((value & kMdicInterrupt) != 0) raise(kIntMdio);
}

// ---- Statistics

void E1000::count(Statistic which, u64 n) {
  const bool old = which == kMissed;
  if (old || extra_registers_) e1000::count(statistics_, which, n);
}

void E1000::count_frame(const FrameCounters& which, Frame frame, std::size_t length) {
  const Statistics before = statistics_;
  e1000::count_frame(statistics_, which, frame, length);
  if (extra_registers_) return;
  // QEMU's older cards count frames and octets alone.
  const Statistics after = std::exchange(statistics_, before);
  for (const unsigned kept : {which.good + 0U, which.total + 0U, which.octets + 0U,
                              which.octets + 1U, which.total_octets + 0U, which.total_octets + 1U})
    statistics_[kept] = after[kept];
}

// The lower half of a wide counter goes when the upper one is read.
void E1000::clear_statistic(unsigned index) {
  if (is_low_half(index)) return;
  statistics_[index] = 0;
  if (is_high_half(index)) statistics_[index - 1] = 0;
}

// ---- The packet buffer, and BAR 1

u64 E1000::read_packet_buffer(u64 offset, unsigned size) {
  u64 value = 0;
  std::memcpy(&value, packet_buffer_.data() + offset, size);
  return value;
}

void E1000::write_packet_buffer(u64 offset, u64 value, unsigned size) {
  std::memcpy(packet_buffer_.data() + offset, &value, size);
}

// IODATA is the register that IOADDR names.
u32 E1000::read_io_data() {
  Access access{.offset = io_address_ & ~u32{3}, .size = 4, .value = 0, .attrs = {}};
  if (access.offset >= static_cast<u64>(registers_.size())) return 0;
  static_cast<void>(registers_.ops().read(registers_.opaque(), access));
  return static_cast<u32>(access.value);
}

void E1000::write_io_data(u32 value) {
  Access access{.offset = io_address_ & ~u32{3}, .size = 4, .value = value, .attrs = {}};
  if (access.offset >= static_cast<u64>(registers_.size())) return;
  static_cast<void>(registers_.ops().write(registers_.opaque(), access));
}

// ---- Types

namespace {

constexpr u16 kPhy8254x = 0x0c20, kPhy82544 = 0x0c30;
constexpr PciIdentity identity(u16 device) {
  return {.vendor = 0x8086,
          .device = device,
          .klass = 0x020000,
          .revision = 3,
          .interrupt_pin = 1,
          .romfile = "efi-e1000.rom"};
}

class E1000Em : public E1000 {
 public:
  static constexpr std::string_view kName = "e1000";
  static constexpr PciIdentity kPci = identity(0x100e);
  static void describe(Schema<E1000Em>& s) { s.help("Intel 82540EM gigabit Ethernet"); }
  E1000Em() : E1000(kPhy8254x) {}
};

/// The name by which QEMU calls it, too.
class E1000Em2 final : public E1000 {
 public:
  static constexpr std::string_view kName = "e1000-82540em";
  static constexpr PciIdentity kPci = E1000Em::kPci;
  static void describe(Schema<E1000Em2>& s) { s.help("Intel 82540EM gigabit Ethernet, as e1000"); }
  E1000Em2() : E1000(kPhy8254x) {}
};

class E1000Gc final : public E1000 {
 public:
  static constexpr std::string_view kName = "e1000-82544gc";
  static constexpr PciIdentity kPci = identity(0x100c);
  static void describe(Schema<E1000Gc>& s) { s.help("Intel 82544GC gigabit Ethernet"); }
  E1000Gc() : E1000(kPhy82544) {}
};

class E1000EmB final : public E1000 {
 public:
  static constexpr std::string_view kName = "e1000-82545em";
  static constexpr PciIdentity kPci = identity(0x100f);
  static void describe(Schema<E1000EmB>& s) { s.help("Intel 82545EM gigabit Ethernet"); }
  E1000EmB() : E1000(kPhy8254x) {}
};

const RegisterAbstractType<E1000, PciDevice> base;
const RegisterType<E1000Em> em;
const RegisterType<E1000Em2> em2;
const RegisterType<E1000Gc> gc;
const RegisterType<E1000EmB> emb;

}  // namespace

}  // namespace rhea::hw
