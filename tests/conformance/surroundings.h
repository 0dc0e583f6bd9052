// SPDX-License-Identifier: GPL-2.0-or-later
// What stands around a device and does as it likes: peers at its chardevs, its network, its disks
// and their host, its input pins, a user at keyboard and power button, somebody who looks at its
// screen.
#pragma once

#include "tests/conformance/fixture.h"

#include <random>
#include <vector>

namespace rhea::test {

class Surroundings {
 public:
  Surroundings(Specimen& specimen, std::mt19937_64& random);
  /// One thing happens; gives what there was to see of it.
  u64 change();
  /// Requests are done by threads: whoever compares two machines waits for them here. A machine
  /// that an error of a disk has stopped goes on.
  void finish_requests();
  /// Waits until cards, which work on threads of their own, have done what they were asked for.
  /// Gives what they sent since, as a number.
  u64 settle();
  bool has_network() const;
  /// All is as it was at first: disks work, media are in, cables too, input pins low.
  void calm_down();

 private:
  enum class Kind : u8 { Peer, Network, Disk, Pin, Screen, User };
  u64 let_peer_speak(FakeChardev& peer);
  void let_network_speak(NetPeer& peer);
  void change_disk(std::size_t number);
  void use_keyboard();
  bool one_in(unsigned n) { return (*random_)() % n == 0; }

  Specimen* specimen_;
  Machine* machine_;
  std::mt19937_64* random_;
  std::vector<FakeChardev*> peers_;
  std::vector<Irq> pins_;
  std::vector<Kind> kinds_;  ///< of what there is, each as often as it weighs
};

}  // namespace rhea::test
