// SPDX-License-Identifier: GPL-2.0-or-later
// Realtek's fast Ethernet controllers.
#pragma once

#include "hw/net/eeprom_93c46.h"
#include "hw/net/frame_batch.h"
#include "hw/net/rtl8139_registers.h"
#include "rhea/hw/boot_order.h"
#include "rhea/hw/pci.h"
#include "rhea/net/net_port.h"
#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/registers.h"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace rhea::hw {

/// The counters that the card writes into memory when it is told to (DTCCR).
struct Rtl8139Tally {
  u64 sent{}, received{}, send_errors{};
  u32 receive_errors{};
  u16 missed{}, misaligned{};
  u64 received_own{}, received_broadcast{};
  u32 received_multicast{};
  u16 aborted{};
  static void describe(StateFields<Rtl8139Tally>& s);
};

/// Realtek RTL8139C+, by the datasheets of the RTL8139C(L) and RTL8139C+. Registers in the ports of
/// BAR 0 and in the memory of BAR 1; four transmit descriptors and the receive ring of the
/// RTL8139; the descriptor rings of C+ mode with two priorities, checksums both ways, large send,
/// VLAN tags, tally counters; timer, EEPROM, PHY, loopback, filters.
///
/// A lock of its own; frames move on the port's thread, in batches. A frame for which there is no
/// room waits in the back end, and the guest is told (ISR.RXOVW).
/// State: all registers, timers, EEPROM, frames on their way out.
/// Missing: waking up, whose registers are kept and mean nothing; pauses; half duplex; CardBus;
/// the flash memory. Negotiation takes no time. Early interrupts come with the whole frame.
class Rtl8139 final : public PciDevice {
 public:
  static constexpr std::string_view kName = "rtl8139";
  static constexpr PciIdentity kPci{.vendor = 0x10ec,
                                    .device = 0x8139,
                                    .klass = 0x020000,
                                    .revision = 0x20,
                                    .interrupt_pin = 1,
                                    .romfile = "efi-rtl8139.rom"};
  static void describe(Schema<Rtl8139>& s);
  Rtl8139();

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  struct SendTurn;
  struct PlusDescriptor;

  static void declare_registers(Schema<Rtl8139>& s);

  // Registers (rtl8139.cc)
  u64 read_memory(u64 offset, unsigned size);
  void write_memory(u64 offset, u64 value, unsigned size);
  u8 read_command() const;
  void write_command(u8 value);
  u32 read_send_status(unsigned n) const;
  void write_send_status(unsigned n, u32 value);
  u16 read_send_summary() const;
  void interrupts_changed();
  void raise(u16 causes);
  u32 read_tcr() const { return tcr_ | rtl8139::kVersion; }
  void write_tcr(u32 value);
  void receive_may_go_on();
  u32 read_timer() const;
  void write_timer(u32 value);
  void arm_timer();
  void clear_missed(u32 value);
  u8 read_eeprom_command() const;
  void write_eeprom_command(u8 value);
  bool config_locked() const;
  u8 read_media() const;
  void write_bmcr(u16 value);
  u16 read_bmsr() const;
  u16 read_partner() const;
  u16 read_expansion() const;
  u16 read_cscr() const;
  void plus_written();
  void poll(u8 value);
  void dump_tally();
  void load_from_eeprom();
  void stop_all();
  void software_reset();
  void link_changed(bool up);
  bool plus_mode() const;
  bool receives() const;
  bool loops_back() const;
  RxFilterState shown_filter() const;

  // Sending (rtl8139_transmit.cc, rtl8139_plus_transmit.cc)
  void transmit();
  bool flush();
  void loop_back(std::span<const Frame> frames);
  bool send_descriptor(SendTurn& turn);
  void send_plus(SendTurn& turn, bool high);
  void gather(SendTurn& turn, u64 address, u32 length);
  void finish_gathered(SendTurn& turn);
  void cut_segment(SendTurn& turn);
  void add_plus_frame(SendTurn& turn);
  void add_frame(SendTurn& turn, std::optional<u32> tag);

  // Receiving (rtl8139_receive.cc)
  enum class Match : u8 { No, Own, Multicast, Broadcast, Other };
  enum class Outcome : u8 { Done, NoRoom };
  std::size_t receive(std::span<const Frame> frames);
  Match match(Frame frame) const;
  Outcome receive_one(Frame frame, u16& causes);
  Outcome store(Frame frame, Match match, u16& causes);
  Outcome store_plus(Frame frame, Match match, u16& causes);
  u32 plus_sums(Frame frame) const;
  void count_received(Match match);
  void count_missed(std::size_t frames);
  u32 ring_bytes() const;

  LockDomain domain_{LockDomain::Kind::Device};
  NetPort port_;
  BootIndex boot_index_;

  std::array<u8, 6> idr_{};
  std::array<u8, 8> mar_{};
  std::array<u32, 4> tsd_{}, tsad_{};  ///< tsad_: in C+ mode TNPDS and THPDS
  u32 rbstart_{}, tcr_{}, rcr_{}, mpc_{}, timer_at_{};
  u16 erbcr_{}, capr_{}, cbr_{}, imr_{}, isr_{}, mulint_{};
  u8 ersr_{}, cr_{}, eeprom_command_{};
  u8 config0_{}, config1_{}, config3_{}, config4_{}, config5_{}, msr_{};
  u16 bmcr_{}, anar_{}, dis_{}, fcsc_{}, nway_test_{}, receive_errors_{}, cscr_{};
  u32 phy1_{}, tw_{}, flash_{};
  u8 phy2_{};
  std::array<u8, 8> wake_crc_{}, wake_lsb_{};
  std::array<u32, 16> wake_mask_{};
  u16 cpcr_{}, mitigation_{};
  u32 rdsar_low_{}, rdsar_high_{}, dtccr_low_{}, dtccr_high_{};
  u8 etthr_{};
  RegisterBank registers_;
  Region memory_;

  Eeprom93c46 eeprom_;
  Rtl8139Tally tally_;
  i64 timer_from_{0};
  Timer timer_, retry_;

  u8 next_send_{0};                                 ///< of the four descriptors
  u8 next_normal_{0}, next_high_{0}, next_got_{0};  ///< in the rings of C+ mode
  bool polled_normal_{false}, polled_high_{false};
  FrameBatch batch_;
  std::vector<u8> gathered_;  ///< of the frame that descriptors of C+ mode are put together to
  bool gathering_{false}, too_long_{false}, from_high_{false};
  bool cutting_{false};  ///< segments are being made of it
  u32 cut_{0};           ///< bytes of its payload in those that are made
  u16 cuts_{0};
  u32 plus_command_{0}, plus_tag_{0};  ///< of its first descriptor
  bool starved_{false};                ///< a frame was left in the back end
  bool looping_{false};                ///< its own frames come back now
};

}  // namespace rhea::hw
