// SPDX-License-Identifier: GPL-2.0-or-later
// Which frames a virtio network device passes on (OASIS Virtual I/O Device 1.2, 5.1.6.5).
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/net/rx_filter.h"
#include "rhea/qom/state.h"

#include <array>
#include <vector>

namespace rhea::hw {

/// By destination and VLAN. State: complete.
class NetFilter {
 public:
  /// Addresses of both kinds together; of a kind with more all pass.
  static constexpr std::size_t kMostAddresses = 64;
  static constexpr std::size_t kAddressBytes = 6;
  enum class Mode : u8 {
    Promiscuous,
    AllMulticast,
    AllUnicast,
    NoMulticast,
    NoUnicast,
    NoBroadcast
  };
  static constexpr std::size_t kModes = 6;

  /// All pass until a driver says otherwise.
  void reset();
  void set(Mode mode, bool on) { modes_[static_cast<std::size_t>(mode)] = on; }
  bool is(Mode mode) const { return modes_[static_cast<std::size_t>(mode)]; }
  /// The tables, as the driver has them; `overflow`: there are more than were given.
  void set_addresses(std::vector<MacAddress> unicast, std::vector<MacAddress> multicast,
                     bool unicast_overflow, bool multicast_overflow);
  void set_vlan(u16 number, bool on);
  /// Whether a frame passes to a card with that address. `vlans`: whether they are filtered.
  bool passes(Frame frame, const MacAddress& own, bool vlans) const;
  /// For people.
  RxFilterState shown(const MacAddress& own, bool vlans) const;

  static void describe(StateFields<NetFilter>& s);

 private:
  static constexpr std::size_t kVlans = 4096;
  struct Address {
    std::array<u8, kAddressBytes> bytes{};
    static void describe(StateFields<Address>& s);
  };
  static bool has(const std::vector<Address>& table, Frame frame);
  bool passes_multicast(Frame frame) const;
  bool passes_unicast(Frame frame, const MacAddress& own) const;

  std::array<bool, kModes> modes_{true};
  std::vector<Address> unicast_, multicast_;
  bool unicast_overflow_{false}, multicast_overflow_{false};
  std::array<u8, kVlans / 8> vlans_{};
};

}  // namespace rhea::hw
