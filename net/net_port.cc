// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/net/net_port.h"

#include <algorithm>
#include <utility>

namespace rhea {

Result<> NetPort::attach(Device& card, Card functions) {
  Machine& machine = card.machine();
  auto& ports = machine.service<NetPorts>();
  card_ = &card;
  functions_ = std::move(functions);
  if (mac_ == MacAddress{}) mac_ = ports.next_mac();
  if (mac_.is_multicast()) return fail("mac: {} is a group's address, not a card's", mac_.text());
  name_ = card.id().empty() ? ports.next_name(card.type().name) : card.id();
  domain_ = card.lock_domain() != nullptr ? card.lock_domain() : &machine.lock();
  running_ = machine.running();
  if (card.lock_domain() == nullptr) {
    loop_ = &machine.loop();
  } else {
    thread_ = std::make_unique<IoThread>("net " + name_, domain_);
    loop_ = &thread_->loop();
  }
  if (netdev_ != nullptr)
    TRY(netdev_->attach({.name = name_,
                         .loop = loop_,
                         .domain = domain_,
                         .receive = [this](std::span<const Frame> frames) -> std::size_t {
                           if (!running_) return 0;
                           return up_ ? functions_.receive(frames) : frames.size();
                         },
                         .can_send = [this] { send_soon(); },
                         .link_changed = [this](bool) { tell_link(); },
                         .gone =
                             [this] {
                               netdev_ = nullptr;
                               tell_link();
                             }}));
  attached_ = netdev_ != nullptr;
  ports.all_.push_back(this);
  machine.on_run_state([this](RunState state) { on_run_state(state == RunState::Running); }, &card);
  return {};
}

void NetPort::end() {
  if (domain_ == nullptr) return;
  bool was_attached = false;
  {
    const DomainGuard guard(domain_);
    was_attached = std::exchange(attached_, false);
    // The card may have other threads, which go later.
    loop_ = nullptr;
    if (sending_) *sending_ = false;
  }
  if (was_attached && netdev_ != nullptr) netdev_->detach();
  {
    const DomainGuard guard(domain_);
    functions_ = {};
  }
  thread_.reset();
  std::erase(card_->machine().service<NetPorts>().all_, this);
  domain_ = nullptr;
}

void NetPort::on_run_state(bool running) {
  if (domain_ == nullptr) return;
  const DomainGuard guard(domain_);
  if (std::exchange(running_, running) == running || !running) return;
  send_soon();
}

std::size_t NetPort::send(std::span<const Frame> frames) {
  return netdev_ == nullptr || !attached_ || !up_ ? frames.size() : netdev_->send(frames);
}

void NetPort::accept_input() {
  if (netdev_ != nullptr) netdev_->accept_input();
}

void NetPort::send_soon() {
  if (loop_ == nullptr || (sending_ && *sending_)) return;
  sending_ = std::make_shared<bool>(true);
  loop_->defer([this, wanted = sending_] {
    if (!std::exchange(*wanted, false) || !running_) return;
    if (functions_.can_send) functions_.can_send();
    accept_input();
  });
}

std::optional<RxFilterState> NetPort::filter() const {
  const DomainGuard guard(domain_);
  return functions_.filter ? std::optional(functions_.filter()) : std::nullopt;
}

void NetPort::set_link(bool up) {
  const DomainGuard guard(domain_);
  if (std::exchange(up_, up) != up) tell_link();
}

void NetPort::tell_link() {
  // Of its own end a card hears nothing.
  if (loop_ != nullptr && functions_.link_changed) functions_.link_changed(link_up());
}

// ---- All ports

NetPort* NetPorts::find(std::string_view name) const {
  const auto it = std::ranges::find(all_, name, &NetPort::name);
  return it == all_.end() ? nullptr : *it;
}

void NetPorts::shutdown() {
  while (!all_.empty()) all_.back()->end();
}

MacAddress NetPorts::next_mac() {
  constexpr unsigned kFirst = 0x56, kBlock = 256;
  MacAddress mac{{0x52, 0x54, 0x00, 0x12, 0x34, kFirst}};
  for (unsigned n = 1; std::ranges::find(all_, mac, &NetPort::mac) != all_.end(); ++n) {
    mac.bytes[5] = static_cast<u8>(kFirst + n);
    mac.bytes[4] = static_cast<u8>(0x34 + n / kBlock);
  }
  return mac;
}

std::string NetPorts::next_name(std::string_view model) {
  for (unsigned i = 0;; ++i)
    if (std::string name = fmt::format("{}.{}", model, i); find(name) == nullptr) return name;
}

}  // namespace rhea
