// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/surroundings.h"

#include "rhea/net/net_port.h"
#include "rhea/ui/console.h"
#include "rhea/ui/input.h"
#include "tests/conformance/random_frame.h"

#include <algorithm>

namespace rhea::test {

Surroundings::Surroundings(Specimen& specimen, std::mt19937_64& random)
    : specimen_(&specimen),
      machine_(&specimen.bench().machine()),
      random_(&random),
      pins_(specimen.device()->gpio_inputs()) {
  for (const auto& child : machine_->container("/chardevs").children())
    if (auto* peer = dynamic_cast<FakeChardev*>(child.get()); peer != nullptr)
      peers_.push_back(peer);
  const auto add = [this](Kind kind, bool there, unsigned often = 1) {
    if (there) kinds_.insert(kinds_.end(), often, kind);
  };
  add(Kind::Peer, !peers_.empty(), 3);
  add(Kind::Network, has_network(), 3);
  add(Kind::Disk, !specimen.disks().empty(), 2);
  add(Kind::Pin, !pins_.empty(), 2);
  add(Kind::Screen, !machine_->service<Consoles>().all().empty());
  add(Kind::User, true);
}

u64 Surroundings::change() {
  const u64 which = (*random_)();
  switch (kinds_[(*random_)() % kinds_.size()]) {
    case Kind::Peer: return let_peer_speak(*peers_[which % peers_.size()]);
    case Kind::Network:
      let_network_speak(specimen_->net_peers()[which % specimen_->net_peers().size()]);
      break;
    case Kind::Disk: change_disk(which % specimen_->disks().size()); break;
    case Kind::Pin: pins_[which % pins_.size()].set(one_in(2)); break;
    case Kind::Screen: {
      const auto& screens = machine_->service<Consoles>().all();
      if (!screens.empty()) screens[which % screens.size()]->refresh_now(one_in(2));
      break;
    }
    case Kind::User: one_in(32) ? machine_->request_powerdown() : use_keyboard(); break;
  }
  return 0;
}

// Talks, stalls, takes a part, hangs up and comes again.
u64 Surroundings::let_peer_speak(FakeChardev& peer) {
  const u64 what = (*random_)() % 8;
  if (what < 4)
    return peer.say(std::string(1 + (*random_)() % 40, static_cast<char>((*random_)())));
  if (what == 4)
    peer.room = std::min<std::size_t>(peer.room, (*random_)() % 3);
  else if (what == 5)
    peer.make_room((*random_)() % 64);
  else if (what == 6)
    peer.send_break();
  else
    peer.tell(one_in(2) ? ChardevEvent::Closed : ChardevEvent::Opened);
  return 0;
}

// Speaks, floods, takes no more, takes all again, pulls the cable out and puts it in.
void Surroundings::let_network_speak(NetPeer& peer) {
  constexpr std::size_t kFlood = 64, kAll = std::size_t{1} << 30;
  const u64 what = (*random_)() % 8;
  const auto& ports = machine_->service<NetPorts>().all();
  const MacAddress card = ports.empty() ? MacAddress{} : ports.front()->mac();
  if (what < 5) {
    std::vector<FrameBytes> frames(what == 0 ? kFlood : 1 + (*random_)() % 3);
    for (FrameBytes& frame : frames) frame = random_frame(card, *random_);
    if (peer.waiting() < kFlood) peer.give(std::move(frames));
  } else if (what < 7) {
    peer.room_for(one_in(2) ? (*random_)() % 3 : kAll);
  } else {
    peer.netdev().set_link(!one_in(4));
  }
}

bool Surroundings::has_network() const { return !specimen_->net_peers().empty(); }

u64 Surroundings::settle() {
  u64 sum = 0;
  // The main loop, which is turned here, must not hear of requests sooner or later than another's.
  if (!specimen_->disks().empty()) finish_requests();
  for (NetPeer& peer : specimen_->net_peers()) {
    peer.settle();
    for (const FrameBytes& frame : peer.take_all()) {
      sum = sum * 0x9e37'79b9'7f4a'7c15 + frame.size();
      for (const u8 byte : frame) sum = (sum ^ byte) * 0x100'0000'01b3;
    }
  }
  // Interrupts of other threads come by the main loop.
  for (unsigned n = 0; n < 4 && machine_->loop().iterate(false); ++n) {
  }
  return sum;
}

// Two machines' threads are not equally far with what was asked before.
void Surroundings::change_disk(std::size_t number) {
  const auto& [backend, disk] = specimen_->disks()[number];
  BlockBackend& drive = *backend;
  drive.drain();
  if (drive.removable() && one_in(4)) {
    if (drive.inserted())
      drive.eject();
    else
      drive.insert(medium_of(disk));
    return;
  }
  const u64 r = (*random_)();
  disk->mood = r % 2 == 0 ? MoodyDisk::Mood{}
                          : MoodyDisk::Mood{.seed = static_cast<u32>(r >> 8),
                                            .fails_one_in = static_cast<u8>(1 + (r >> 32) % 4),
                                            .is_full = one_in(4),
                                            .is_late = one_in(4)};
  constexpr std::array kPolicies = {OnError::Report, OnError::Ignore, OnError::Stop};
  drive.set_error_policy({.read = kPolicies[(r >> 40) % 3], .write = kPolicies[(r >> 48) % 3]});
}

void Surroundings::use_keyboard() {
  auto& user = machine_->service<InputHub>();
  const u64 r = (*random_)();
  if (one_in(2))
    user.key(static_cast<KeyNumber>(r % 0xff + 1), one_in(2));
  else
    user.pointer({.dx = static_cast<int>(r % 600) - 300,
                  .dy = static_cast<int>(r >> 16 & 0xff) - 128,
                  .dz = static_cast<int>(r >> 24 & 3) - 1,
                  .buttons = static_cast<u8>(r >> 32 & 0x1f),
                  .place = (r >> 63) == 0 ? std::optional<PointerPlace>()
                                          : PointerPlace{.x = static_cast<u16>(r >> 40 & 0x7fff),
                                                         .y = static_cast<u16>(r >> 48 & 0x7fff)}});
}

void Surroundings::finish_requests() {
  if (!machine_->running() && !specimen_->is_elsewhere()) machine_->resume();
  for (BlockBackend* drive : drives(*machine_)) drive->drain();
  machine_->loop().iterate(false);
}

void Surroundings::calm_down() {
  for (NetPeer& peer : specimen_->net_peers()) {
    peer.netdev().set_link(true);
    peer.room_for(std::size_t{1} << 30);
  }
  for (const Irq& pin : pins_) pin.set(false);
  for (const auto& [drive, disk] : specimen_->disks()) {
    disk->mood = MoodyDisk::Mood{};
    if (!drive->inserted() && drive->removable()) drive->insert(medium_of(disk));
  }
}

}  // namespace rhea::test
