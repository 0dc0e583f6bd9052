// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/vfio/interrupts.h"

#include "rhea/util/event_fd.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

namespace rhea::hw::vfio {
namespace {

/// vfio_irq_set without its data.
struct IrqSet {
  u32 argsz{sizeof(IrqSet)};
  u32 flags{};
  u32 index{};
  u32 start{};
  u32 count{};
};

constexpr u32 kSwitchOff = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE,
              kSwitchOn = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
              kUnmask = VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE;
constexpr int kEventsAtOnce = 64;

}  // namespace

Result<> Interrupts::join(Link& link, EventLoop& loop, const Counts& counts,
                          std::function<void(unsigned)> signalled) {
  link_ = &link;
  loop_ = &loop;
  counts_ = counts;
  signalled_ = std::move(signalled);
  wanted_ = told_ = Kind::None;
  mirror_.init([this] { tell(); });
  all_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  for (u32 n = 0; n < *std::ranges::max_element(counts.of); ++n) {
    FileDescriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    epoll_event wish{.events = EPOLLIN, .data = {.u32 = n}};
    if (!all_ || !event || ::epoll_ctl(all_.get(), EPOLL_CTL_ADD, event.get(), &wish) != 0)
      return fail("no descriptors for its interrupts: {}", errno_text(errno));
    events_.push_back(std::move(event));
  }
  hear(true);
  return {};
}

void Interrupts::hear(bool on) {
  watch_.remove();
  if (on && link_ != nullptr)
    watch_ = loop_->watch_fd(all_.get(), FdEvents::Read, [this](FdEvents) { ready(); });
}

void Interrupts::leave() {
  watch_.remove();
  link_ = nullptr;
  events_.clear();
  all_.reset();
}

void Interrupts::ready() {
  std::array<epoll_event, kEventsAtOnce> found{};
  const int count = ::epoll_wait(all_.get(), found.data(), kEventsAtOnce, 0);
  for (int n = 0; n < count; ++n) {
    const u32 number = found[static_cast<std::size_t>(n)].data.u32;
    if (take_events(events_[number].get())) signalled_(number);
  }
}

void Interrupts::use(Kind kind) {
  if (link_ == nullptr || wanted_ == kind) return;
  wanted_ = kind;
  mirror_.changed();
}

void Interrupts::forget() {
  if (link_ == nullptr) return;
  for (const FileDescriptor& event : events_) take_events(event.get());
  told_ = Kind::None;
  mirror_.changed();
}

void Interrupts::tell() {
  if (link_ == nullptr) return;
  if (told_ != Kind::None && told_ != wanted_) set(told_, 0, {});
  told_ = wanted_;
  if (wanted_ == Kind::None) return;
  std::vector<int> numbers;
  for (u32 n = 0; n < counts_.of[static_cast<unsigned>(wanted_)]; ++n)
    numbers.push_back(events_[n].get());
  const std::size_t most = link_->most_descriptors();
  for (std::size_t first = 0; first < numbers.size(); first += most)
    set(wanted_, static_cast<u32>(first),
        std::span(numbers).subspan(first, std::min(most, numbers.size() - first)));
}

// Without events: off.
void Interrupts::set(Kind kind, u32 first, std::span<const int> events) {
  const IrqSet request{.flags = events.empty() ? kSwitchOff : kSwitchOn,
                       .index = static_cast<u32>(kind),
                       .start = first,
                       .count = static_cast<u32>(events.size())};
  link_->post(Command::SetIrqs, Body(request), events,
              mirror_.answered([link = link_](const Message& reply) {
                if (reply.error != 0)
                  link->refused(fmt::format("does not take its interrupts: {}",
                                            errno_text(static_cast<int>(reply.error))));
                return true;
              }));
}

void Interrupts::end_intx() {
  if (link_ == nullptr || !counts_.masks_itself || told_ != Kind::Intx) return;
  const IrqSet request{.flags = kUnmask, .index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1};
  link_->post(Command::SetIrqs, Body(request), {}, mirror_.answered());
}

}  // namespace rhea::hw::vfio
