// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev user: a network of the guest's own, whose connections are the host's sockets.
#pragma once

#include "net/datagram.h"
#include "net/user_process.h"
#include "net/user_settings.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::net {

class UserNetdev final : public DatagramNetdev {
 public:
  static constexpr std::string_view kName = "netdev-user";
  UserNetdev() : DatagramNetdev(FileDescriptor()) {}

  /// Main thread, machine's lock; takes the forwarded ports.
  Result<> set_up(Machine& machine, const std::string& id, UserSettings settings);

  std::string_view kind() const override { return "user"; }
  std::string info() const override;

  /// Takes the port; what it returns has the real one, and no socket. A guest's address of zero is
  /// the first that DHCP gives. Main thread, machine's lock; waits for nobody.
  Result<HostForward> add_forward(HostForward forward);
  UserProcess& process() { return *process_; }
  /// For whoever asks the process on another thread.
  std::shared_ptr<UserProcess> shared_process() { return process_; }

 protected:
  std::size_t transmit(std::span<const Frame> frames) override;

 private:
  std::string net_;
  bool restricted_{false};
  in_addr first_guest_{};
  std::shared_ptr<UserProcess> process_;
};

}  // namespace rhea::net
