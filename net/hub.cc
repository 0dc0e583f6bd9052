// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/hub.h"

#include "net/backend.h"
#include "rhea/qom/registry.h"
#include "util/decimal.h"

#include <algorithm>

namespace rhea::net {
namespace {

Result<std::unique_ptr<Netdev>> create_hubport(Machine& machine, const std::string&,
                                               KeyValues& options) {
  const auto text = options.take("hubid");
  const auto other_id = options.take("netdev");
  if (!text) return fail("Parameter 'hubid' is missing");
  TRY(options.expect_empty("hubport"));
  const auto number = decimal<i32>(*text);
  if (!number) return fail("Parameter 'hubid' expects an int32, not '{}'", *text);
  Netdev* const other = other_id ? find_netdev(machine, *other_id) : nullptr;
  if (other_id && other == nullptr) return fail("netdev '{}' not found", *other_id);
  return machine.service<Hubs>().make_port(*number, other);
}

const RegisterBackend hubport{{.name = "hubport", .create = &create_hubport}};
const RegisterType<HubPort, Netdev> registration;

}  // namespace

// ---- Hub

void Hub::join(HubPort& port) {
  const std::lock_guard lock(mutex_);
  ports_.push_back(&port);
}

void Hub::leave(HubPort& port) {
  const std::lock_guard lock(mutex_);
  std::erase(ports_, &port);
}

void Hub::flood(const HubPort& from, std::span<const Frame> frames) {
  const std::lock_guard lock(mutex_);
  for (HubPort* port : ports_)
    if (port != &from) port->post(frames);
}

// ---- HubPort

std::unique_ptr<HubPort> HubPort::make(std::shared_ptr<Hub> hub, i64 number) {
  auto port = create<HubPort>();
  port->hub_ = std::move(hub);
  port->number_ = number;
  port->hub_->join(*port);
  return port;
}

HubPort::~HubPort() {
  if (hub_) hub_->leave(*this);
}

std::string HubPort::info() const { return fmt::format("hubid={}", number_); }

void HubPort::begin() {
  const std::lock_guard lock(queue_->mutex);
  queue_->port = this;
  queue_->loop = &loop();
}

void HubPort::end() {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->port = nullptr;
    queue_->loop = nullptr;
    queue_->frames.clear();
    queue_->bytes = 0;
  }
  now_.clear();
  passed_ = 0;
}

std::size_t HubPort::transmit(std::span<const Frame> frames) {
  hub_->flood(*this, frames);
  return frames.size();
}

void HubPort::post(std::span<const Frame> frames) {
  const std::lock_guard lock(queue_->mutex);
  if (queue_->port == nullptr) return;
  for (const Frame frame : frames) {
    if (queue_->frames.size() == kMostFrames || queue_->bytes + frame.size() > kMostBytes) break;
    queue_->frames.emplace_back(frame.begin(), frame.end());
    queue_->bytes += frame.size();
  }
  call();
}

void HubPort::call() {
  if (queue_->frames.empty() || std::exchange(queue_->called, true)) return;
  queue_->loop->defer([queue = queue_] {
    HubPort* port = nullptr;
    {
      const std::lock_guard here(queue->mutex);
      queue->called = false;
      port = queue->port;
    }
    // It ends under the domain that is held here.
    if (port != nullptr) port->pass();
  });
}

// One queue's worth: others of the loop have their turn, too.
void HubPort::pass() {
  // What the front end did not take comes first, at resume().
  if (passed_ < now_.size()) return;
  now_.clear();
  passed_ = 0;
  {
    const std::lock_guard lock(queue_->mutex);
    now_.swap(queue_->frames);
    queue_->bytes = 0;
  }
  resume();
}

void HubPort::resume() {
  const std::vector<Frame> frames(now_.begin() + static_cast<std::ptrdiff_t>(passed_), now_.end());
  passed_ += deliver(frames);
  if (passed_ < now_.size()) return;
  const std::lock_guard lock(queue_->mutex);
  call();
}

// ---- HubLink

Result<> HubLink::connect(HubPort& port, Netdev& other) {
  other_ = &other;
  hub_ = port.number();
  if (const auto* other_port = dynamic_cast<const HubPort*>(&other))
    other_hub_ = other_port->number();
  const auto side = [this](Netdev* from, Netdev** to, std::string name) {
    return from->attach({.name = std::move(name),
                         .loop = &thread_.loop(),
                         .domain = &domain_,
                         .receive = [to](std::span<const Frame> frames) -> std::size_t {
                           return *to == nullptr ? frames.size() : (*to)->send(frames);
                         },
                         .can_send =
                             [to] {
                               if (*to != nullptr) (*to)->accept_input();
                             },
                         .link_changed = [](bool) {},
                         .gone =
                             [this, from] {
                               if (from == other_) other_ = nullptr;
                               if (from == port_) port_ = nullptr;
                             }});
  };
  port_ = &port;
  if (auto joined = side(&other, &port_, "a hub"); !joined) {
    // It is somebody else's: not for end() to take from them.
    other_ = port_ = nullptr;
    return joined;
  }
  return side(&port, &other_, other.name());
}

std::optional<i64> HubLink::across(i64 number) const {
  if (broken() || !other_hub_) return std::nullopt;
  if (number == hub_) return other_hub_;
  return number == *other_hub_ ? std::optional(hub_) : std::nullopt;
}

void HubLink::end() {
  // gone() takes them away.
  if (Netdev* other = other_) other->detach();
  if (Netdev* port = port_) port->detach();
}

// ---- Hubs

/// Whether there is a way from one hub to the other by links between hubs.
bool Hubs::lead_to(i64 from, i64 to) const {
  std::vector<i64> found{from};
  for (std::size_t n = 0; n < found.size(); ++n)
    for (const auto& link : links_)
      if (const auto next = link->across(found[n]);
          next && std::ranges::find(found, *next) == found.end())
        found.push_back(*next);
  return std::ranges::find(found, to) != found.end();
}

Result<std::unique_ptr<Netdev>> Hubs::make_port(i64 number, Netdev* other) {
  if (const auto* port = dynamic_cast<const HubPort*>(other);
      port != nullptr && lead_to(number, port->number()))
    return fail("hub {} has netdev '{}' already: frames would go round for ever", number,
                other->name());
  std::shared_ptr<Hub> hub = hubs_[number].lock();
  if (!hub) hubs_[number] = hub = std::make_shared<Hub>();
  std::unique_ptr<HubPort> port = HubPort::make(std::move(hub), number);
  if (other != nullptr) {
    auto link = std::make_unique<HubLink>();
    TRY(link->connect(*port, *other));
    links_.push_back(std::move(link));
  }
  return port;
}

Result<Netdev*> Hubs::add_port(Netdev* other) {
  std::unique_ptr<Netdev> port = TRY(make_port(0, other));
  std::string id;
  for (unsigned n = 0; id.empty() || find_netdev(machine_, id) != nullptr; ++n)
    id = fmt::format("hub0port{}", n);
  return &machine_.container(Netdev::kLinkRoot).add_child(id, std::move(port));
}

void Hubs::tidy() {
  std::erase_if(links_, [](const auto& link) { return link->broken(); });
}

}  // namespace rhea::net
