// SPDX-License-Identifier: GPL-2.0-or-later
// The other side of a network back end, in the hands of a test.
//
//   NetPeer peer(bench.machine(), "net0");
//   bench.add("e1000", {{"netdev", "net0"}});
//   peer.give(frame);
//   EXPECT_EQ(peer.take(), reply);
#pragma once

#include "rhea/net/netdev.h"

#include <optional>
#include <string>
#include <vector>

namespace rhea::test {

using FrameBytes = std::vector<u8>;
class TestNetdev;

/// A back end of kind "test", under /netdevs/ID as long as the machine stands. Functions that wait
/// do so for ten seconds at most, and run the machine's main loop meanwhile. Main thread.
class NetPeer {
 public:
  NetPeer(Machine& machine, const std::string& id);

  Netdev& netdev();
  /// A frame for the guest, which gets it when its card has room.
  void give(FrameBytes frame) { give(std::vector<FrameBytes>{std::move(frame)}); }
  void give(std::vector<FrameBytes> frames);
  /// How many given frames the card has not taken.
  std::size_t waiting();
  /// Waits until the card was offered frames that it did not take; false when it never was.
  bool refused();
  /// Waits until the card has taken all; false when it does not.
  bool all_taken();
  /// Waits until what was asked of the card's thread so far, and what followed from it, is done.
  void settle();
  /// Drops given frames that the card has not taken, and waits until it knows.
  void forget();
  /// The oldest frame that the guest sent and nobody took; waits for one, nullopt when none comes.
  std::optional<FrameBytes> take();
  /// Without waiting for them.
  std::vector<FrameBytes> take_all();
  /// As many pairs of queues as a card may have of it, from its realize() on.
  void offer_queues(unsigned pairs);
  /// From now on it takes so many frames and no more, until this is called again.
  void room_for(std::size_t frames);

 private:
  bool is_quiet();
  Machine& machine_;
  TestNetdev& backend_;
};

}  // namespace rhea::test
