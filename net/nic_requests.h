// SPDX-License-Identifier: GPL-2.0-or-later
// The network cards that -nic and -net ask the board for.
#pragma once

#include "rhea/net/mac_address.h"
#include "rhea/softmmu/machine.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::net {

/// One card that the board is to have, besides those that -device makes.
struct NicRequest {
  std::string option{};   ///< for errors: "-nic user,model=e1000"
  std::string model{};    ///< a device type that is in nic_models(); empty: the board's usual
  std::string netdev{};   ///< the back end's id under /netdevs; empty: none
  std::string name{};     ///< -net nic,name=; empty: the board's choice
  MacAddress mac{};       ///< zero: the next free one
  std::string address{};  ///< -net nic,addr=: a place on the PCI bus; empty: any
  std::optional<unsigned> vectors{};  ///< MSI-X
  bool on_hub{false};                 ///< -net nic without netdev=: it is on the hub
};

/// What was asked for. Main thread, machine's lock.
class NicRequests final : public MachineService {
 public:
  explicit NicRequests(Machine& machine) : machine_(machine) {}

  static constexpr std::size_t kMost = 8;
  Result<> add(NicRequest request);
  /// -net KIND: a back end on the hub, the one network of all -net.
  void add_to_hub(std::string id) { on_hub_.push_back(std::move(id)); }
  /// For the board, once: all there are. When nothing of the network was said, one that stands for
  /// the default card on a user network. The back ends are made.
  Result<std::vector<NicRequest>> take();

 private:
  Result<> connect_hub();

  Machine& machine_;
  std::vector<NicRequest> requests_;
  std::vector<std::string> on_hub_;
};

/// The device types that are network cards: those that have a MAC address and a back end. Sorted.
std::vector<std::string_view> nic_models();

}  // namespace rhea::net
