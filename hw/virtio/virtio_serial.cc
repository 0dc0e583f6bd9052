// SPDX-License-Identifier: GPL-2.0-or-later
// The device that has the ports: what it is, and what it and its driver tell each other.
#include "hw/virtio/virtio_serial.h"

#include "hw/virtio/virtio_serial_port.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {

using namespace virtio_serial;

namespace {

constexpr u32 kCommunication = 0x0780, kDisplay = 0x0380, kOther = 0x00ff;
constexpr VirtioKind kConsoleKind{.id = 3, .transitional_id = 0x1003, .pci_class = kCommunication};
constexpr u16 kDataEntries = 128, kControlEntries = 32;
constexpr u32 kMostPorts = 511;
// In one turn.
constexpr unsigned kBuffersAtOnce = 64;
constexpr u64 kBytesAtOnce = 256 * KiB;

void put_le32(std::span<u8> bytes, std::size_t at, u32 value) {
  for (unsigned n = 0; n < 4; ++n) bytes[at + n] = static_cast<u8>(value >> (8 * n));
}

const RegisterType<VirtioSerialBus> bus_registration;

}  // namespace

VirtioKind VirtioSerial::kind() const {
  VirtioKind kind = kConsoleKind;
  if (class_ == kDisplay || class_ == kOther) kind.pci_class = class_;
  return kind;
}

// ---- Made of

Result<> VirtioSerial::start(Device& owner, VirtioCore& core) {
  core_ = &core;
  owner_ = &owner;
  if (most_ports_ == 0) return fail("Maximum number of serial ports not specified (max_ports=0)");
  if (most_ports_ > kMostPorts) return fail("maximum ports supported: {}", kMostPorts);
  ports_.assign(most_ports_, nullptr);
  to_tell_.assign(most_ports_, 0);
  for (u32 n = 0; n < 2 * (most_ports_ + 1); ++n)
    core.add_queue(n == kControlIn || n == kControlOut ? kControlEntries : kDataEntries);
  const bool emergency = (features_ & virtio::bit(kEmergencyWrite)) != 0;
  config_bytes_ = emergency ? kConfigBytes : kShortConfig;
  constexpr u64 kOwn = ~virtio::kLegacyFeatures & 0x00ff'ffff;
  core.offered() = (core.offered() & ~kOwn) | features_;
  if (most_ports_ > 1) core.offered() |= virtio::bit(kMultiport);
  fill_config();
  unsigned buses = 0;
  owner.machine().visit([&buses](const Object& object) {
    buses += dynamic_cast<const VirtioSerialBus*>(&object) != nullptr ? 1 : 0;
  });
  auto bus = create<VirtioSerialBus>();
  bus->serial = this;
  owner.add_child(owner.id().empty() ? fmt::format("virtio-serial-bus.{}", buses)
                                     : fmt::format("{}.0", owner.id()),
                  std::move(bus));
  return {};
}

void VirtioSerial::fill_config() {
  config_ = {};
  put_le32(config_, kMostPortsAt, most_ports_);
}

/// A character written there needs no queue (5.3.4).
void VirtioSerial::config_written(u64 offset, unsigned size) {
  const u8 character = config_[kEmergencyAt];
  fill_config();
  if (offset > kEmergencyAt || offset + size <= kEmergencyAt) return;
  if (VirtioSerialPort* const console = first_console()) console->send_character(character);
}

VirtioSerialPort* VirtioSerial::first_console() const {
  const auto found = std::ranges::find_if(
      ports_, [](const VirtioSerialPort* port) { return port != nullptr && port->is_console(); });
  return found == ports_.end() ? nullptr : *found;
}

void VirtioSerial::reset() {
  ready_ = false;
  std::ranges::fill(to_tell_, u8{0});
  for (VirtioSerialPort* port : ports_)
    if (port != nullptr) port->forget_driver();
}

void VirtioSerial::queue_reset(u16 number) {
  if (number == kControlIn || number == kControlOut) return;
  if (VirtioSerialPort* const port = ports_[port_of(number)]) port->forget_buffer();
}

void VirtioSerial::resumed() {
  for (VirtioSerialPort* port : ports_)
    if (port != nullptr) port->look_again();
}

// ---- Ports that come and go

Result<> VirtioSerial::add(VirtioSerialPort& port) {
  const DomainGuard guard(lock_domain());
  const u32 number = TRY(choose_number(port));
  port.set_number(number);
  ports_[number] = &port;
  if (ready_) to_tell_[number] |= kAdded;
  tell_driver();
  return {};
}

/// Number 0 is a console's, for drivers that know of one port alone.
Result<u32> VirtioSerial::choose_number(const VirtioSerialPort& port) const {
  for (const VirtioSerialPort* other : ports_)
    if (other != nullptr && !port.label().empty() && other->label() == port.label())
      return fail("virtio-serial-bus: A port already exists by name {}", port.label());
  u32 number = port.number();
  if (number == ~u32{0}) {
    number = port.is_console() ? 0 : 1;
    while (number < most_ports_ && ports_[number] != nullptr) ++number;
    if (number >= most_ports_)
      return fail("virtio-serial-bus: Maximum port limit for this device reached");
  }
  if (number >= most_ports_)
    return fail("virtio-serial-bus: Out-of-range port id specified, max. allowed: {}",
                most_ports_ - 1);
  if (ports_[number] != nullptr)
    return fail("virtio-serial-bus: A port already exists at id {}", number);
  if (number == 0 && !port.is_console())
    return fail(
        "Port number 0 on virtio-serial devices reserved for virtconsole devices for backward "
        "compatibility.");
  return number;
}

void VirtioSerial::remove(VirtioSerialPort& port) {
  const DomainGuard guard(lock_domain());
  const u32 number = port.number();
  ports_[number] = nullptr;
  // Of one that it has not heard of it needs not hear.
  const bool known = ready_ && (to_tell_[number] & kAdded) == 0;
  to_tell_[number] = known ? kRemoved : to_tell_[number] & kRemoved;
  tell_driver();
  core_->serve_again(out_queue(number));
}

// ---- What the driver is told

/// While the machine stands it has to wait: then the queue's turn comes when that goes on.
void VirtioSerial::tell_driver() {
  if (!ready_ || !multiport()) return;
  if (!core_->live()) return core_->serve_again(kControlIn);
  bool told = false;
  for (u32 port = 0; port < ports_.size();) {
    if (core_->turn_is_over()) {
      core_->serve_again(kControlIn);
      break;
    }
    if (tell_next(port))
      told = true;
    else if (core_->queue(kControlIn).broken())
      break;
    else
      ++port;
  }
  if (told) core_->tell_driver(kControlIn);
}

/// One thing of a port; false when there is nothing, or no buffer for it.
bool VirtioSerial::tell_next(u32 number) {
  u8& waiting = to_tell_[number];
  VirtioSerialPort* const port = ports_[number];
  const auto done = [&waiting](u8 what) { waiting = static_cast<u8>(waiting & ~what); };
  if ((waiting & kRemoved) != 0)
    return send(number, Event::PortRemove, 1) && (done(kRemoved), true);
  if (port == nullptr) {
    waiting = 0;
    return false;
  }
  if ((waiting & kAdded) != 0) return send(number, Event::PortAdd, 1) && (done(kAdded), true);
  if ((waiting & kConsole) != 0)
    return send(number, Event::ConsolePort, 1) && (done(kConsole), true);
  if ((waiting & kNamed) != 0)
    return send(number, Event::PortName, 1, port->label()) && (done(kNamed), true);
  if (port->has_opened_or_closed())
    return send(number, Event::PortOpen, port->peer() ? 1 : 0) && (port->take_open(), true);
  return false;
}

/// A name ends with a byte of zero, as QEMU's do.
bool VirtioSerial::send(u32 port, Event event, u16 value, std::string_view text) {
  VirtQueue& queue = core_->queue(kControlIn);
  if (!queue.enabled() || queue.pop(buffer_) != Popped::One) return false;
  std::array<u8, kMessageBytes> head{};
  put_le32(head, 0, port);
  put_le32(head, 4, static_cast<u32>(event) | u32{value} << 16);
  std::vector<u8> message(head.begin(), head.end());
  if (!text.empty()) {
    message.insert(message.end(), text.begin(), text.end());
    message.push_back(0);
  }
  const u64 bytes = std::min<u64>(message.size(), buffer_.in_bytes);
  if (bytes < message.size())
    log_guest("virtio-serial", "a control buffer of {} bytes for {}", bytes, message.size());
  if (!queue.write(buffer_, 0, std::span(message).first(bytes))) return false;
  queue.push(buffer_, static_cast<u32>(bytes));
  return true;
}

// ---- What the driver says

void VirtioSerial::serve(u16 number) {
  if (number == kControlIn) return tell_driver();
  if (number == kControlOut) return hear_driver();
  if (port_of(number) >= ports_.size()) return;
  if (number % 2 != 0) return take_output(number);
  if (VirtioSerialPort* const port = ports_[port_of(number)]) port->look_again();
}

void VirtioSerial::hear_driver() {
  VirtQueue& queue = core_->queue(kControlOut);
  unsigned heard = 0;
  const auto goes_on = [&] { return heard < kBuffersAtOnce && !core_->turn_is_over(); };
  for (; goes_on() && queue.pop(buffer_) == Popped::One; ++heard) {
    std::array<u8, kMessageBytes> message{};
    const bool whole = buffer_.out_bytes >= kMessageBytes;
    if (whole && !queue.read(buffer_, 0, message)) break;
    queue.push(buffer_, 0);
    u32 port{};
    u16 event{}, value{};
    std::memcpy(&port, &message[0], sizeof(port));
    std::memcpy(&event, &message[4], sizeof(event));
    std::memcpy(&value, &message[6], sizeof(value));
    if (whole)
      hear(port, static_cast<Event>(event), value);
    else
      log_guest("virtio-serial", "a control message of {} bytes", buffer_.out_bytes);
  }
  if (heard != 0) core_->tell_driver(kControlOut);
  if (!goes_on()) core_->serve_again(kControlOut);
  tell_driver();
}

void VirtioSerial::hear(u32 number, Event event, u16 value) {
  if (event == Event::DeviceReady) {
    if (value == 0) log_guest("virtio-serial", "the driver cannot use the device");
    ready_ = value != 0;
    for (u32 n = 0; n < ports_.size(); ++n)
      to_tell_[n] = ready_ && ports_[n] != nullptr ? kAdded : u8{0};
    return;
  }
  VirtioSerialPort* const port = number < ports_.size() ? ports_[number] : nullptr;
  if (port == nullptr) {
    log_guest("virtio-serial", "port {} is spoken of, and there is none", number);
    return;
  }
  if (event == Event::PortOpen) return port->set_guest_open(value != 0);
  if (event != Event::PortReady) {
    log_guest("virtio-serial", "a control message {}", static_cast<u16>(event));
    return;
  }
  if (value == 0) log_guest("virtio-serial", "the driver cannot use port {}", number);
  port->set_ready(value != 0);
  if (value == 0) return;
  if (port->is_console()) to_tell_[number] |= kConsole;
  if (!port->label().empty()) to_tell_[number] |= kNamed;
}

/// Of a port that is not there it goes nowhere.
void VirtioSerial::take_output(u16 number) {
  VirtioSerialPort* const port = ports_[port_of(number)];
  if (port != nullptr && port->stalled()) return;
  VirtQueue& queue = core_->queue(number);
  unsigned taken = 0;
  u64 bytes = kBytesAtOnce;
  const auto goes_on = [&] {
    return taken < kBuffersAtOnce && bytes != 0 && !core_->turn_is_over();
  };
  while (goes_on() && queue.pop(buffer_) == Popped::One) {
    const bool all = port == nullptr || port->send(queue, buffer_, bytes);
    if (queue.broken()) return;
    if (!all) {
      queue.undo_pop(buffer_);
      break;
    }
    queue.push(buffer_, 0);
    ++taken;
  }
  if (taken != 0) core_->tell_driver(number);
  if (!goes_on()) core_->serve_again(number);
}

}  // namespace rhea::hw
