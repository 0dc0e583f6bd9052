// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/net/netdev.h"

#include <algorithm>
#include <utility>

namespace rhea {

Netdev::Netdev() = default;
Netdev::~Netdev() {
  for (FrameFilter* filter : filters_) filter->gone();
}

Result<> Netdev::attach(FrontEnd front_end) {
  if (attached_) return fail("netdev '{}' is already in use by '{}'", name(), front_end_.name);
  front_end_ = std::move(front_end);
  attached_ = true;
  blocked_ = false;
  const DomainGuard guard(domain());
  begin();
  return {};
}

void Netdev::detach() {
  if (!attached_) return;
  const DomainGuard guard(domain());
  end();
  attached_ = false;
  blocked_ = false;
  if (front_end_.gone) front_end_.gone();
  // The guard still needs the domain, which is not the front end's to keep.
  front_end_ = {};
}

std::size_t Netdev::send(std::span<const Frame> frames) {
  if (!link_up_) return frames.size();
  const std::size_t taken = transmit(frames);
  for (FrameFilter* filter : filters_)
    for (const Frame frame : frames.first(taken))
      filter->see(FrameFilter::Direction::FromGuest, frame);
  return taken;
}

std::size_t Netdev::deliver(std::span<const Frame> frames) {
  if (!link_up_ || !attached_) return frames.size();
  const std::size_t taken = front_end_.receive(frames);
  for (FrameFilter* filter : filters_)
    for (const Frame frame : frames.first(taken))
      filter->see(FrameFilter::Direction::ToGuest, frame);
  blocked_ = taken < frames.size();
  return taken;
}

void Netdev::accept_input() {
  if (std::exchange(blocked_, false)) resume();
}

void Netdev::tell_can_send() {
  if (attached_) front_end_.can_send();
}

void Netdev::set_link(bool up) {
  const DomainGuard guard(domain());
  if (std::exchange(link_up_, up) == up || !attached_) return;
  front_end_.link_changed(up);
  // What was kept back is for nobody now, or for somebody again.
  accept_input();
}

void Netdev::add_filter(FrameFilter& filter) {
  const DomainGuard guard(domain());
  filters_.push_back(&filter);
}

void Netdev::remove_filter(FrameFilter& filter) {
  const DomainGuard guard(domain());
  std::erase(filters_, &filter);
}

namespace {
const RegisterAbstractType<Netdev, Object> registration;
}  // namespace

}  // namespace rhea
