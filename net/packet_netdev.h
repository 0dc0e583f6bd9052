// SPDX-License-Identifier: GPL-2.0-or-later
// A back end whose frames are datagrams of the host, to one address.
#pragma once

#include "net/datagram.h"
#include "net/net_address.h"

#include <string>

namespace rhea::net {

class PacketNetdev final : public DatagramNetdev {
 public:
  static constexpr std::string_view kName = "netdev-packet";

  PacketNetdev() : DatagramNetdev(FileDescriptor()) {}
  /// `to` is where frames go; without one the socket knows.
  static std::unique_ptr<Netdev> make(std::string kind, FileDescriptor socket, std::string what,
                                      std::optional<ResolvedAddress> to = std::nullopt);

  std::string_view kind() const override { return kind_; }
  std::string info() const override { return what_; }

 protected:
  const sockaddr* destination(socklen_t& length) const override {
    if (!to_) return nullptr;
    length = to_->length;
    return reinterpret_cast<const sockaddr*>(&to_->name);
  }

 private:
  std::string kind_, what_;
  std::optional<ResolvedAddress> to_;
};

/// Frames go to a group, and come from all that are in it. `interface` is the host's address there.
Result<std::unique_ptr<Netdev>> create_group(std::string kind, const SocketAddress& group,
                                             const std::optional<in_addr>& interface);
/// Frames go from one address to another.
Result<std::unique_ptr<Netdev>> create_packets(std::string kind, const SocketAddress& local,
                                               const SocketAddress& remote);

}  // namespace rhea::net
