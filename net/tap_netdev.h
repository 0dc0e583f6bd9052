// SPDX-License-Identifier: GPL-2.0-or-later
// A network interface of the host's whose other end is the guest's card.
#pragma once

#include "net/datagram.h"

#include <chrono>
#include <string>

namespace rhea::net {

class TapNetdev final : public DatagramNetdev {
 public:
  static constexpr std::string_view kName = "netdev-tap";

  TapNetdev() : DatagramNetdev(FileDescriptor()) {}
  ~TapNetdev() override;

  struct Plan {
    std::string kind;       ///< "tap" or "bridge"
    FileDescriptor device;  ///< of /dev/net/tun, with its interface
    std::string what{};     ///< for `info network`
  };
  /// Fails when the descriptor is no such device.
  static Result<std::unique_ptr<TapNetdev>> make(Plan plan);
  /// Has a script run at the end that is told the interface's name; empty: none.
  void run_at_end(std::string script, std::string ifname);

  std::string_view kind() const override { return kind_; }
  std::string info() const override { return what_; }

 protected:
  std::size_t transmit(std::span<const Frame> frames) override;
  bool fill(DatagramBatch& batch) override;

 private:
  std::string kind_, what_, ifname_, at_end_;
  std::size_t header_{0};  ///< bytes before each frame, of offloads that nobody here asks for
};

/// The name of the interface that a descriptor of /dev/net/tun has.
Result<std::string> interface_of(int device);
/// Runs a script with the interface's name as its argument and waits for its end; half a second
/// once the machine has started.
Result<> run_script(const std::string& script, const std::string& ifname);
/// A device that a helper program with rights makes and passes on, within `patience`.
Result<FileDescriptor> device_of_helper(const std::string& helper, const std::string& bridge,
                                        std::chrono::milliseconds patience);

}  // namespace rhea::net
