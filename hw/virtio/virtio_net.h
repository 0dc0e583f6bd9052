// SPDX-License-Identifier: GPL-2.0-or-later
// The network device (OASIS Virtual I/O Device 1.2, 5.1), however it is reached.
#pragma once

#include "hw/net/frame_batch.h"
#include "hw/virtio/net_filter.h"
#include "hw/virtio/net_layout.h"
#include "hw/virtio/virtio_core.h"
#include "rhea/hw/boot_order.h"
#include "rhea/net/net_port.h"
#include "rhea/softmmu/clock.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace rhea {

template <>
struct StateCodec<MacAddress> {
  static void save(const MacAddress& mac, StateWriter& out) { out.bytes(mac.bytes); }
  static Result<> load(MacAddress& mac, StateReader& in, const StateField&) {
    std::ranges::copy(TRY(in.bytes(mac.bytes.size())), mac.bytes.begin());
    return {};
  }
};

}  // namespace rhea

namespace rhea::hw {

/// What stands before each frame in the guest's buffers.
struct NetHeader {
  u8 flags{}, gso{};
  u16 header_bytes{}, segment{};
  u16 sum_start{}, sum_offset{};
};

/// A large frame of the guest's that is being cut.
struct NetCutting {
  static constexpr std::size_t kMostHeader = 256;
  bool active{};
  u16 queue{};
  VirtBuffer buffer;
  bool ipv4{}, tcp{};
  u16 ip{}, l4{};         ///< where these headers begin
  u16 header_bytes{};     ///< of each frame
  u16 behind{};           ///< where the payload begins in the buffer
  u16 segment{};          ///< payload of each but the last
  u32 payload{}, done{};  ///< bytes
  u16 made{};             ///< frames
  u16 sum{};              ///< of a datagram
  std::array<u8, kMostHeader> header{};

  /// Whether one that was loaded is as they are made; `before`: bytes before the frame.
  bool sound(std::size_t before) const;
  static void describe(StateFields<NetCutting>& s);
};

/// A network card: pairs of queues, merged buffers, checksums and segmentation done here for back
/// ends that know nothing of them, filters, commands. Frames are sent where the driver's
/// notification is served, in batches, and received on the port's thread; each is copied once. What
/// finds no room waits: frames of the guest's in its queue, frames for it in the back end.
class VirtioNet : public VirtioFunction {
 public:
  template <class Self>
  static void declare(Schema<Self>& s);

  VirtioKind kind() const final;
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;
  void queue_reset(u16 number) final;
  void resumed() final;
  Result<> loaded() final;
  std::span<u8> config() final { return config_; }
  void config_written(u64 offset, unsigned size) final;

 protected:
  VirtioNet() = default;
  ~VirtioNet() = default;

 private:
  static constexpr i32 kUnknownSpeed = -1;
  static constexpr u16 kMostPairs = 256;
  enum class Outcome : u8 { Done, NoRoom };

  Result<> check_properties() const;
  void offer();
  void fill_config();
  void link_changed();
  bool has_offload(unsigned feature) const;
  std::size_t header_bytes() const;
  static u16 receive_queue(u16 pair) { return static_cast<u16>(2 * pair); }
  static u16 send_queue(u16 pair) { return static_cast<u16>(2 * pair + 1); }
  /// A driver that knows nothing of several pairs has one (5.1.2).
  u16 control_queue() const {
    return static_cast<u16>(core_->accepts(virtio_net::kMultiQueue) ? 2 * pairs_ : 2);
  }

  // Sending (virtio_net_send.cc)
  void transmit();
  void go_on_sending();
  bool transmit_from(u16 number);
  void send_one(u16 number);
  void send_plain(u16 number, const NetHeader& header, u32 bytes);
  bool flush();
  void give_back(u16 number, const VirtBuffer& buffer);
  bool begin_cut(u16 number, const NetHeader& header, u32 bytes);
  bool find_headers(u32 bytes);
  bool sum_datagram();
  bool begin_fragments();
  void cut_one();
  void finish_segment(std::span<u8> frame, bool last);
  void finish_fragment(std::span<u8> frame, bool last);
  void end_cut();
  void note_flow(Frame frame, u16 number);

  // Receiving (virtio_net_receive.cc)
  std::size_t receive(std::span<const Frame> frames);
  Outcome receive_one(Frame frame);
  Outcome collect(VirtQueue& queue, std::size_t bytes, bool& fits);
  void store(VirtQueue& queue, Frame frame);
  u16 pair_for(Frame frame) const;

  // Commands (virtio_net_control.cc)
  void serve_control();
  u8 command();
  u8 set_mode(u8 which);
  u8 set_address(u8 which);
  u8 set_table();
  bool read_addresses(u64& at, std::vector<MacAddress>& table, bool& overflow, std::size_t most);
  u8 set_vlan(u8 which);
  u8 set_pairs();
  u8 set_offloads();
  template <class T>
  bool read_argument(T& value);

  u64 features_{usually_offered(virtio_net::kFeatures)};  ///< that properties switch
  VirtioCore* core_{};
  Device* owner_{};
  NetPort port_;
  BootIndex boot_index_;
  u16 host_mtu_{}, receive_entries_{}, send_entries_{};
  i32 speed_{};
  std::string duplex_, tx_;
  u32 timer_ns_{};
  i32 burst_{};
  u16 pairs_{1};  ///< that there are

  std::array<u8, virtio_net::kConfigBytes> config_{};
  MacAddress mac_;
  u16 used_pairs_{1};  ///< that the driver uses
  u64 offloads_{0};    ///< as a command has set them, if one has
  bool offloads_set_{false};
  bool announcing_{false}, announce_due_{false};
  NetFilter filter_;
  NetCutting cutting_;
  FrameBatch batch_;
  Timer send_timer_;
  u32 fragment_id_{0};

  bool starved_{false};  ///< a frame was left in the back end
  u16 next_pair_{0};     ///< whose turn to send it is
  VirtBuffer buffer_;
  std::vector<VirtBuffer> merged_;
  std::size_t merged_count_{0};
  std::vector<bool> touched_;     ///< receive queues whose drivers are to be told
  std::array<u16, 256> flows_{};  ///< which pair a flow was last sent by
};

template <class Self>
void VirtioNet::declare(Schema<Self>& s) {
  declare_features<Self>(s, virtio_net::kFeatures, [](Self& self) -> u64& {
    return static_cast<VirtioNet&>(self).features_;
  });
  NetPort::declare(s, &VirtioNet::port_);
  BootIndex::declare(s, "bootindex", &VirtioNet::boot_index_);
  s.property("host_mtu", &VirtioNet::host_mtu_, u16{0})
      .help("the longest packets, as the driver is told; 0: nothing is said");
  s.property("speed", &VirtioNet::speed_, VirtioNet::kUnknownSpeed)
      .help("Mb/s, as the driver is told; -1: nothing is said");
  s.property("duplex", &VirtioNet::duplex_, "").help("half or full, as the driver is told");
  s.property("rx_queue_size", &VirtioNet::receive_entries_, u16{256})
      .help("entries, a power of two from 256 on");
  s.property("tx_queue_size", &VirtioNet::send_entries_, u16{256})
      .help("entries, a power of two from 256 on");
  s.property("tx", &VirtioNet::tx_, "")
      .help("bh: send when notified; timer: wait for more first, x-txtimer ns at most");
  s.property("x-txtimer", &VirtioNet::timer_ns_, u32{150'000}).help("ns, with tx=timer");
  s.property("x-txburst", &VirtioNet::burst_, i32{256})
      .range(1, 65536)
      .help("frames that are sent before others have their turn");
  s.state("mac", &VirtioNet::mac_);
  s.state("used-pairs", &VirtioNet::used_pairs_).range(1, VirtioNet::kMostPairs);
  s.state("offloads", &VirtioNet::offloads_);
  s.state("offloads-set", &VirtioNet::offloads_set_);
  s.state("announcing", &VirtioNet::announcing_);
  s.state("filter", &VirtioNet::filter_);
  s.state("cutting", &VirtioNet::cutting_);
  s.state("batch", &VirtioNet::batch_);
  s.state("send-timer", &VirtioNet::send_timer_);
  s.state("fragment-id", &VirtioNet::fragment_id_);
  s.state("flows", &VirtioNet::flows_);
}

}  // namespace rhea::hw
