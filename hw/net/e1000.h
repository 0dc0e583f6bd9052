// SPDX-License-Identifier: GPL-2.0-or-later
// Intel's 8254x gigabit Ethernet controllers.
#pragma once

#include "hw/net/e1000_phy.h"
#include "hw/net/e1000_registers.h"
#include "hw/net/e1000_statistics.h"
#include "hw/net/eeprom_93c46.h"
#include "hw/net/frame_batch.h"
#include "rhea/hw/boot_order.h"
#include "rhea/hw/pci.h"
#include "rhea/net/net_port.h"
#include "rhea/softmmu/clock.h"
#include "rhea/softmmu/registers.h"

#include <array>
#include <optional>
#include <span>

namespace rhea::hw {

/// Where a context descriptor has checksums put, and frames cut.
struct E1000Context {
  u8 ip_start{}, ip_at{};
  u16 ip_end{};  ///< the last byte; 0: the frame's
  u8 start{}, at{};
  u16 end{};
  u16 segment{};  ///< payload of a segment (MSS)
  u8 header{};    ///< bytes before the payload
  bool tcp{}, ipv4{};
  static void describe(StateFields<E1000Context>& s);
};

/// The frame that descriptors are being put together to.
struct E1000Making {
  bool begun{}, segments{}, tagged{}, too_long{};
  u8 options{};  ///< checksums wanted, of the first descriptor
  u16 tag{};
  u32 payload{};      ///< bytes in segments that are made
  u16 made{};         ///< segments
  u8 header_bytes{};  ///< so far
  std::array<u8, 256> header{};
  // The descriptor that is being read.
  bool reading{};
  u64 address{};
  u32 left{}, lower{}, upper{};
  static void describe(StateFields<E1000Making>& s);
};

/// Intel 82540EM and its like, by the "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
/// Developer's Manual". Registers in BAR 0, a window on them in the ports of BAR 1; legacy, context
/// and data descriptors, segmentation of TCP and UDP, checksums both ways, VLAN tags, filters,
/// delayed and moderated interrupts, EEPROM, PHY, statistics, loopback, received pauses.
///
/// A lock of its own; frames move on the port's thread, in batches. A frame for which there is no
/// buffer waits in the back end.
/// State: all registers, timers, EEPROM, PHY, frames on their way out.
/// Missing: wake-up, pauses sent by itself, the flash memory, half duplex, fibre (TBI). The packet
/// buffer is memory that nothing passes through.
class E1000 : public PciDevice {
 public:
  static constexpr std::string_view kName = "e1000-base";
  using Extendable = E1000;
  static void describe(Schema<E1000>& s);

 protected:
  /// The lower half of what the PHY calls itself.
  explicit E1000(u16 phy_id);
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

 private:
  struct SendDescriptor;
  struct ReceiveRing;
  struct SendTurn;

  static void declare_registers(Schema<E1000>& s);

  // Registers (e1000.cc)
  u32 read_io_data();
  void write_io_data(u32 value);
  u64 read_packet_buffer(u64 offset, unsigned size);
  void write_packet_buffer(u64 offset, u64 value, unsigned size);
  u32 read_control() const { return ctrl_; }
  void write_control(u32 value);
  u32 read_status() const;
  u32 read_eecd() const;
  void write_eecd(u32 value);
  void write_eerd(u32 value);
  void write_mdic(u32 value);
  void clear_statistic(unsigned index);
  void soft_reset();
  void set_defaults();
  void receive_control_written();
  void receive_tail_written();
  void send_tail_written();
  void count(e1000::Statistic which, u64 n = 1);
  void count_frame(const e1000::FrameCounters& which, Frame frame, std::size_t length);
  void update_link();
  void phy_may_negotiate();

  // Interrupts (e1000_interrupts.cc)
  u32 read_causes();
  u32 read_causes_only() const { return icr_; }
  void clear_causes(u32 value);
  void raise(u32 causes);
  void write_mask_set(u32 value);
  void write_mask_clear(u32 value);
  void write_itr(u32 value);
  void write_rdtr(u32 value);
  void write_tidv(u32 value);
  void update_interrupt();
  bool delays_received() const;
  bool delays_sent() const;
  void delay(Timer& timer, i64& absolute_at, u32 packet, u32 absolute);
  void end_delay(Timer& timer, i64& absolute_at);

  // Sending (e1000_transmit.cc, e1000_segments.cc)
  void transmit();
  bool sending_enabled() const;
  bool next_descriptor(SendTurn& turn);
  void begin_descriptor(const SendDescriptor& descriptor);
  void take_context(const SendDescriptor& descriptor);
  void read_some(SendTurn& turn);
  void read_header(SendTurn& turn);
  void end_descriptor(SendTurn& turn);
  void finish_frame();
  void finish_segment(bool last);
  void add_frame();
  bool flush();
  void loop_back(std::span<const Frame> frames);
  bool loops_back() const;

  // Receiving (e1000_receive.cc, e1000_filter.cc)
  enum class Match : u8 { No, Inexactly, Exactly };
  enum class Outcome : u8 { Done, NoRoom };
  std::size_t receive(std::span<const Frame> frames);
  Outcome receive_one(ReceiveRing& ring, Frame frame);
  bool take_pause(Frame frame);
  bool too_long(Frame frame) const;
  bool passes_vlan(Frame frame) const;
  bool is_tagged(Frame frame) const;
  Match matches(Frame frame) const;
  bool has_address(Frame frame) const;
  bool in_table(Frame frame) const;
  /// A frame as the guest gets it: its parts, without the check sequence.
  struct Stored {
    std::array<Frame, 3> parts;
    std::array<u8, e1000::kCheckBytes> check{};
    std::size_t bytes{0};
    bool tagged{false}, stripped{false};
  };
  /// Where it goes.
  struct Plan {
    struct Piece {
      u64 address;
      u32 length;
    };
    std::array<Piece, 128> pieces;
    unsigned count{0};
    bool fits{false}, never{false};
  };
  Stored as_stored(Frame frame) const;
  Plan plan(ReceiveRing& ring, std::size_t bytes) const;
  void write_part(const Stored& stored, std::size_t from, u32 length, u64 address);
  Outcome store(ReceiveRing& ring, Frame frame, Match match);
  u32 buffer_bytes() const;
  u64 sums_of(Frame frame, std::size_t first) const;

  LockDomain domain_{LockDomain::Kind::Device};
  NetPort port_;
  BootIndex boot_index_;
  const u16 phy_id_;
  bool autonegotiation_{}, mitigation_{}, extra_registers_{}, tso_props_{}, init_vet_{};

  u32 ctrl_{}, ctrl_ext_{}, flash_{}, eerd_{}, mdic_{};
  u32 fcal_{}, fcah_{}, fct_{}, vet_{}, fcttv_{}, txcw_{}, rxcw_{}, fcrtl_{}, fcrth_{};
  u32 icr_{}, itr_{}, ims_{};
  u32 rctl_{}, rdbal_{}, rdbah_{}, rdlen_{}, rdh_{}, rdt_{}, rdtr_{}, rxdctl_{}, radv_{}, rsrpd_{};
  u32 tctl_{}, tipg_{}, tbt_{}, ait_{}, txdmac_{};
  u32 tdbal_{}, tdbah_{}, tdlen_{}, tdh_{}, tdt_{}, tidv_{}, txdctl_{}, tadv_{}, tspmt_{};
  u32 ledctl_{}, pba_{}, rxcsum_{};
  u32 wuc_{}, wufc_{}, wus_{}, manc_{}, ipav_{}, wupl_{};
  std::array<u32, 5> receive_fifo_{}, send_fifo_{};
  std::array<u32, 4> ip4_{}, ip6_{}, filter_length_{};
  std::array<u32, 32> wake_packet_{};
  std::array<u32, 128> filter_mask_{}, filter_value_{};
  std::array<u32, 128> mta_{}, vfta_{};
  std::array<u32, 16> ral_{}, rah_{};
  e1000::Statistics statistics_{};
  u32 eecd_{};
  u32 io_address_{};
  RegisterBank registers_, ports_;
  std::vector<u8> packet_buffer_;

  Eeprom93c46 eeprom_;
  E1000Phy phy_;
  bool link_up_{false};
  Timer negotiation_;

  bool line_{false};    ///< INTx, as this device has set it last
  i64 quiet_until_{0};  ///< no new interrupt before (ITR)
  Timer moderation_;
  i64 receive_absolute_at_{-1}, send_absolute_at_{-1};  ///< when RADV and TADV run out
  Timer receive_delay_, send_delay_;
  Timer pause_;

  E1000Context plain_context_, segment_context_;
  E1000Making making_;
  FrameBatch batch_;
  bool starved_{false};  ///< a frame was left in the back end
  bool looping_{false};  ///< its own frames come back now
};

}  // namespace rhea::hw
