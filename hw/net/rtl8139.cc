// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/rtl8139.h"

#include "hw/net/frame_sums.h"
#include "hw/net/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace rtl8139;

namespace {

constexpr i64 kTickNs = 30;  // of the timer: a clock of the PCI bus
constexpr u64 kRegisterBytes = 256;

// Words of the EEPROM.
enum Word : u8 { kSignature = 0, kVendor = 1, kDevice = 2, kSubVendor = 3, kSub = 4, kMac = 7 };
constexpr u16 kSigned = 0x8129;

}  // namespace

void Rtl8139Tally::describe(StateFields<Rtl8139Tally>& s) {
  s.state("sent", &Rtl8139Tally::sent);
  s.state("received", &Rtl8139Tally::received);
  s.state("send-errors", &Rtl8139Tally::send_errors);
  s.state("receive-errors", &Rtl8139Tally::receive_errors);
  s.state("missed", &Rtl8139Tally::missed);
  s.state("misaligned", &Rtl8139Tally::misaligned);
  s.state("received-own", &Rtl8139Tally::received_own);
  s.state("received-broadcast", &Rtl8139Tally::received_broadcast);
  s.state("received-multicast", &Rtl8139Tally::received_multicast);
  s.state("aborted", &Rtl8139Tally::aborted);
}

void Rtl8139::describe(Schema<Rtl8139>& s) {
  s.help("Realtek RTL8139C+ fast Ethernet");
  NetPort::declare(s, &Rtl8139::port_);
  BootIndex::declare(s, "bootindex", &Rtl8139::boot_index_);
  declare_registers(s);
  s.state("eeprom", &Rtl8139::eeprom_);
  s.state("tally", &Rtl8139::tally_);
  // It runs from power on, and only the guest sets it back.
  s.state("timer-from", &Rtl8139::timer_from_).survives_reset();
  s.state("timer", &Rtl8139::timer_);
  s.state("retry", &Rtl8139::retry_);
  s.state("next-send", &Rtl8139::next_send_).range(0, 3);
  s.state("next-normal", &Rtl8139::next_normal_).range(0, kMostDescriptors - 1);
  s.state("next-high", &Rtl8139::next_high_).range(0, kMostDescriptors - 1);
  s.state("next-got", &Rtl8139::next_got_).range(0, kMostDescriptors - 1);
  s.state("polled-normal", &Rtl8139::polled_normal_);
  s.state("polled-high", &Rtl8139::polled_high_);
  s.state("batch", &Rtl8139::batch_);
  s.state("gathered", &Rtl8139::gathered_).range(0, kMostGathered);
  s.state("gathering", &Rtl8139::gathering_);
  s.state("too-long", &Rtl8139::too_long_);
  s.state("from-high", &Rtl8139::from_high_);
  s.state("cutting", &Rtl8139::cutting_);
  s.state("cut", &Rtl8139::cut_);
  s.state("cuts", &Rtl8139::cuts_);
  s.state("plus-command", &Rtl8139::plus_command_);
  s.state("plus-tag", &Rtl8139::plus_tag_);
}

Rtl8139::Rtl8139() { set_lock_domain(domain_); }

Result<> Rtl8139::realize() {
  TRY(PciDevice::realize());
  config_set8(0x3e, 0x20);  // MNGNT and MXLAT, in units of 250 ns
  config_set8(0x3f, 0x40);
  TRY(boot_index_.join(*this, "/ethernet-phy@0"));
  memory_.init_io(*this, "rtl8139-mem", kRegisterBytes,
                  io<&Rtl8139::read_memory, &Rtl8139::write_memory>({.min = 1, .max = 4}));
  TRY(bar(1, memory_));
  timer_.init(machine().virtual_clock(), [this] {
    raise(kIntTimer);
    arm_timer();
  });
  retry_.init(machine().virtual_clock(), [this] { port_.send_soon(); });
  TRY(port_.attach(*this,
                   {.receive = [this](std::span<const Frame> frames) { return receive(frames); },
                    .can_send = [this] { transmit(); },
                    .link_changed = [this](bool up) { link_changed(up); },
                    .filter = [this] { return shown_filter(); }}));
  std::array<u16, Eeprom93c46::kWords> words{};
  words[kSignature] = kSigned;
  words[kVendor] = kPci.vendor;
  words[kDevice] = kPci.device;
  words[kSubVendor] = kPci.subsystem_vendor;
  words[kSub] = kPci.subsystem;
  const MacAddress& mac = port_.mac();
  for (unsigned n = 0; n < 3; ++n)
    words[kMac + n] = static_cast<u16>(mac.bytes[2 * n] | mac.bytes[2 * n + 1] << 8);
  eeprom_.program(words);
  return {};
}

void Rtl8139::reset(ResetKind) {
  eeprom_.reset();
  tally_ = {};
  dtccr_low_ = dtccr_high_ = 0;
  load_from_eeprom();
  stop_all();
}

// What it takes from there by itself after power on, or when it is told to (9346CR).
void Rtl8139::load_from_eeprom() {
  for (unsigned n = 0; n < 3; ++n) {
    idr_[2 * n] = static_cast<u8>(eeprom_.word(kMac + n));
    idr_[2 * n + 1] = static_cast<u8>(eeprom_.word(kMac + n) >> 8);
  }
}

// Both directions stand, and nothing is on its way.
void Rtl8139::stop_all() {
  cr_ = 0;
  tsd_.fill(kSendOwn);
  capr_ = 0xfff0;
  cbr_ = erbcr_ = 0;
  ersr_ = 0;
  next_send_ = next_normal_ = next_high_ = next_got_ = 0;
  polled_normal_ = polled_high_ = false;
  batch_.clear();
  gathered_.clear();
  gathering_ = too_long_ = from_high_ = cutting_ = false;
  cut_ = plus_command_ = plus_tag_ = 0;
  cuts_ = 0;
  retry_.cancel();
  arm_timer();
  // What waits in the back end is for nobody now.
  if (starved_) port_.send_soon();
}

// Addresses, filters, media and configuration stay.
void Rtl8139::software_reset() {
  isr_ = imr_ = mulint_ = cpcr_ = 0;
  tcr_ = rcr_ = 0;
  stop_all();
  interrupts_changed();
}

// ---- The memory BAR shows what the ports do

u64 Rtl8139::read_memory(u64 offset, unsigned size) {
  Access access{.offset = offset, .size = size, .value = 0, .attrs = {}};
  static_cast<void>(registers_.ops().read(registers_.opaque(), access));
  return access.value;
}

void Rtl8139::write_memory(u64 offset, u64 value, unsigned size) {
  Access access{.offset = offset, .size = size, .value = value, .attrs = {}};
  static_cast<void>(registers_.ops().write(registers_.opaque(), access));
}

// ---- Commands

bool Rtl8139::plus_mode() const { return (cpcr_ & (kPlusSend | kPlusReceive)) != 0; }

u32 Rtl8139::ring_bytes() const { return 8 * KiB << (rcr_ >> 11 & 3); }

u8 Rtl8139::read_command() const {
  const u32 size = ring_bytes();
  const bool empty = cbr_ % size == (capr_ + 16U) % size;
  return static_cast<u8>(cr_ | (empty ? kBufferEmpty : 0));
}

void Rtl8139::write_command(u8 value) {
  if ((value & kReset) != 0) return software_reset();
  const u8 before = std::exchange(cr_, value & (kSendEnable | kReceiveEnable));
  const u8 begun = cr_ & static_cast<u8>(~before);
  if ((begun & kReceiveEnable) != 0) {
    capr_ = 0xfff0;
    cbr_ = 0;
    next_got_ = 0;
  }
  if ((begun & kSendEnable) != 0) {
    next_send_ = next_normal_ = next_high_ = 0;
    gathering_ = false;
  }
  if (begun != 0) port_.send_soon();
}

u32 Rtl8139::read_send_status(unsigned n) const {
  if (!plus_mode()) return tsd_[n];
  return n == 0 ? dtccr_low_ : n == 1 ? dtccr_high_ : 0;
}

void Rtl8139::write_send_status(unsigned n, u32 value) {
  if (plus_mode()) {
    if (n == 1) dtccr_high_ = value;
    if (n != 0) return;
    dtccr_low_ = value & ~u32{0x3f};
    if ((value & kDump) != 0) dump_tally();
    return;
  }
  tsd_[n] = value & (kSendSize | kSendOwn | kSendThreshold);
  if ((value & kSendOwn) == 0 && (cr_ & kSendEnable) != 0) port_.send_soon();
}

u16 Rtl8139::read_send_summary() const {
  unsigned summary = 0;
  for (unsigned n = 0; n < tsd_.size(); ++n) {
    if ((tsd_[n] & kSendOwn) != 0) summary |= 1U << (kSummaryOwn + n);
    if ((tsd_[n] & kSendAborted) != 0) summary |= 1U << (kSummaryAborted + n);
    if ((tsd_[n] & kSendUnderrun) != 0) summary |= 1U << (kSummaryUnderrun + n);
    if ((tsd_[n] & kSendOk) != 0) summary |= 1U << (kSummaryOk + n);
  }
  return static_cast<u16>(summary);
}

void Rtl8139::write_tcr(u32 value) {
  tcr_ = value & ~kClearAbort;
  u32& current = tsd_[next_send_];
  if ((value & kClearAbort) == 0 || (current & kSendAborted) == 0) return;
  // Once more, from memory.
  current &= ~(kSendAborted | kSendOwn);
  port_.send_soon();
}

void Rtl8139::plus_written() {
  if ((cpcr_ & kPlusSend) == 0) gathering_ = false;
  receive_may_go_on();
}

void Rtl8139::poll(u8 value) {
  if ((value & kPollHigh) != 0) polled_high_ = true;
  if ((value & kPollNormal) != 0) polled_normal_ = true;
  if ((value & (kPollHigh | kPollNormal)) != 0) port_.send_soon();
  if ((value & kPollSoftware) != 0) raise(kIntSoftware);
}

void Rtl8139::receive_may_go_on() {
  if (starved_) port_.send_soon();
}

void Rtl8139::dump_tally() {
  const u64 address = u64{dtccr_high_} << 32 | (dtccr_low_ & ~u32{0x3f});
  std::array<u8, 64> bytes{};
  std::size_t at = 0;
  const auto put = [&](u64 value, unsigned size) {
    for (unsigned n = 0; n < size; ++n) bytes[at++] = static_cast<u8>(value >> (8 * n));
  };
  put(tally_.sent, 8);
  put(tally_.received, 8);
  put(tally_.send_errors, 8);
  put(tally_.receive_errors, 4);
  put(tally_.missed, 2);
  put(tally_.misaligned, 2);
  put(0, 8);  // collisions: there are none
  put(tally_.received_own, 8);
  put(tally_.received_broadcast, 8);
  put(tally_.received_multicast, 4);
  put(tally_.aborted, 2);
  put(0, 2);  // underruns: nor those
  if (dma().write(address, bytes) == MemResult::Ok) return;
  log_guest("rtl8139", "no memory for counters at {:#x}", address);
  raise(kIntSystemError);
}

// ---- Interrupts, timer

void Rtl8139::interrupts_changed() {
  set_intx((isr_ & imr_) != 0);
  // Drivers of C+ mode tell nothing else when they have given buffers.
  receive_may_go_on();
}

void Rtl8139::raise(u16 causes) {
  isr_ |= causes & kIntAll;
  set_intx((isr_ & imr_) != 0);
}

u32 Rtl8139::read_timer() const {
  return static_cast<u32>((machine().virtual_clock().now_ns() - timer_from_) / kTickNs);
}

void Rtl8139::write_timer(u32) {
  timer_from_ = machine().virtual_clock().now_ns();
  arm_timer();
}

// When the counter next is what TimerInt says: it wraps after two minutes.
void Rtl8139::arm_timer() {
  if (timer_at_ == 0) return timer_.cancel();
  const u32 ticks = timer_at_ - read_timer();
  const i64 to_go = ticks == 0 ? i64{1} << 32 : i64{ticks};
  const i64 now = machine().virtual_clock().now_ns();
  timer_.arm(now - (now - timer_from_) % kTickNs + to_go * kTickNs);
}

void Rtl8139::clear_missed(u32) { mpc_ = 0; }

// ---- EEPROM, configuration

bool Rtl8139::config_locked() const { return (eeprom_command_ & kModeBits) != kModeConfig; }

u8 Rtl8139::read_eeprom_command() const {
  const bool out = (eeprom_command_ & kModeBits) == kModeProgram && eeprom_.data_out();
  return static_cast<u8>(eeprom_command_ | (out ? kEepromDataOut : 0));
}

void Rtl8139::write_eeprom_command(u8 value) {
  const u8 mode = value & kModeBits;
  eeprom_command_ = value & (kModeBits | kEepromSelect | kEepromClock | kEepromDataIn);
  if (mode == kModeProgram)
    return eeprom_.drive((value & kEepromSelect) != 0, (value & kEepromClock) != 0,
                         (value & kEepromDataIn) != 0);
  eeprom_.drive(false, false, false);
  if (mode != kModeLoad) return;
  load_from_eeprom();
  eeprom_command_ = 0;
}

// ---- PHY

u8 Rtl8139::read_media() const {
  return static_cast<u8>(msr_ | kMediaAuxPower | (port_.link_up() ? 0 : kMediaLinkDown));
}

// Speed, negotiation and duplex are configuration, and locked as that is.
void Rtl8139::write_bmcr(u16 value) {
  if ((value & kPhyReset) != 0) {
    bmcr_ = kPhyDefaults;
    return;
  }
  const u16 open = config_locked() ? u16{0} : kPhyDefaults;
  bmcr_ = static_cast<u16>((bmcr_ & ~open) | (value & open));
}

u16 Rtl8139::read_bmsr() const {
  const bool negotiated = port_.link_up() && (bmcr_ & kPhyNegotiate) != 0;
  return static_cast<u16>(kPhyAbilities | (negotiated ? kPhyNegotiated : 0) |
                          (port_.link_up() ? kPhyLink : 0));
}

u16 Rtl8139::read_partner() const { return port_.link_up() ? 0x45e1 : 0; }
u16 Rtl8139::read_expansion() const { return port_.link_up() ? 1 : 0; }
u16 Rtl8139::read_cscr() const {
  constexpr u16 kConnected = 0x0008;
  return static_cast<u16>((cscr_ & ~kConnected) | (port_.link_up() ? kConnected : 0));
}

void Rtl8139::link_changed(bool up) {
  rtl8139_link(*this, up);
  if (!up && dis_ != 0xffff) ++dis_;
  raise(kIntLink);
  if (up) port_.send_soon();
}

namespace {
const RegisterType<Rtl8139> registration;
}  // namespace

}  // namespace rhea::hw
