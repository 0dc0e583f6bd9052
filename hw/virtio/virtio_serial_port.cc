// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/virtio_serial_port.h"

#include "rhea/softmmu/machine.h"
#include "rhea/softmmu/tool_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace virtio_serial;

void VirtioSerialPort::describe(Schema<VirtioSerialPort>& s) {
  s.help("port of a virtio console device");
  s.link("chardev", &VirtioSerialPort::chardev_).help("where it leads to");
  s.property("name", &VirtioSerialPort::label_, "")
      .help("under which the guest finds it: /dev/virtio-ports/NAME in Linux");
  s.property("nr", &VirtioSerialPort::number_, VirtioSerialPort::kAnyNumber)
      .help("number of the port; all ones: the first free one");
  s.state("ready", &VirtioSerialPort::ready_);
  s.state("guest-open", &VirtioSerialPort::guest_open_);
  s.state("told-open", &VirtioSerialPort::told_open_);
  s.state("stalled", &VirtioSerialPort::stalled_);
  s.state("sent", &VirtioSerialPort::sent_);
}

Result<> VirtioSerialPort::realize() {
  serial_ = static_cast<VirtioSerialBus*>(parent_bus())->serial;
  set_lock_domain(*serial_->lock_domain());
  news_.init(machine().loop(), [this] { go_on(); });
  TRY(serial_->add(*this));
  on_unrealize([this] { serial_->remove(*this); });
  return chardev_.attach({.can_receive = [this] { return room(); },
                          .receive = [this](std::span<const u8> data) { receive(data); },
                          .event = [this](ChardevEvent event) { hear(event); },
                          .can_send = [this] { go_on(); },
                          .in_use = [this] { return console_ || guest_open_; }});
}

Result<> VirtioSerialPort::post_load(unsigned) {
  news_.schedule();
  return {};
}

void VirtioSerialPort::forget_driver() {
  ready_ = told_open_ = stalled_ = false;
  sent_ = 0;
  set_guest_open(false);
}

// ---- The other end

void VirtioSerialPort::hear(ChardevEvent event) {
  if (parent_bus() == nullptr) return;
  if (event != ChardevEvent::Opened && event != ChardevEvent::Closed) return;
  peer_ = event == ChardevEvent::Opened;
  serial_->tell_open();
  // What waited for one who has gone goes nowhere.
  if (!peer_) go_on();
}

/// On the main loop: whoever waits there or in the driver's queue is looked after.
void VirtioSerialPort::go_on() {
  tell();
  if (serial_->core().live()) {
    serial_->tell_open();
    if (std::exchange(stalled_, false)) serial_->core().serve_again(out_queue(number_));
  }
  chardev_.accept_input();
}

void VirtioSerialPort::set_guest_open(bool on) {
  if (std::exchange(guest_open_, on) != on) news_.schedule();
}

void VirtioSerialPort::tell() {
  if (std::exchange(told_guest_open_, guest_open_) == guest_open_ || id().empty()) return;
  machine().service<ToolEvents>().tell("VSERPORT_CHANGE", {{"id", id()}, {"open", guest_open_}},
                                       ToolEvents::Pace::Held, id());
}

// ---- To the guest

/// What the driver's next buffer takes.
std::size_t VirtioSerialPort::room() {
  VirtioCore& core = serial_->core();
  if (!core.live() || (serial_->multiport() && !guest_open_)) return 0;
  VirtQueue& queue = core.queue(in_queue(number_));
  if (!queue.enabled() || queue.pop(buffer_) != Popped::One) return 0;
  queue.undo_pop(buffer_);
  return std::max<u64>(buffer_.in_bytes, 1);
}

/// The driver may have changed the buffers since it was asked for room, or have been reset.
void VirtioSerialPort::receive(std::span<const u8> data) {
  VirtioCore& core = serial_->core();
  const u16 number = in_queue(number_);
  bool gave = false;
  VirtQueue& queue = core.queue(number);
  core.begin_turn();
  while (!data.empty() && core.live() && !core.turn_is_over()) {
    if (!queue.enabled() || queue.pop(buffer_) != Popped::One) break;
    const auto piece = data.first(std::min<u64>(data.size(), buffer_.in_bytes));
    if (!queue.write(buffer_, 0, piece)) break;
    queue.push(buffer_, static_cast<u32>(piece.size()));
    data = data.subspan(piece.size());
    gave = true;
  }
  if (gave) core.tell_driver(number);
  if (!data.empty())
    log_guest("virtio-serial", "{} bytes for port {} are lost with its buffers", data.size(),
              number_);
}

// ---- From the guest

bool VirtioSerialPort::send(VirtQueue& queue, const VirtBuffer& buffer, u64& bytes) {
  while (sent_ < buffer.out_bytes) {
    if (bytes == 0) return false;
    const std::span<u8> piece =
        std::span(piece_).first(std::min<u64>(kPiece, buffer.out_bytes - sent_));
    if (!queue.read(buffer, sent_, piece)) return false;
    const std::size_t taken = chardev_.write(piece);
    sent_ += taken;
    bytes -= std::min<u64>(bytes, piece.size());
    if (taken == piece.size()) continue;
    if (console_) break;
    stalled_ = true;
    return false;
  }
  sent_ = 0;
  return true;
}

void VirtioSerialPort::send_character(u8 character) { chardev_.write({&character, 1}); }

namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.3. A byte stream to programs in the guest, as guest agents
/// use it. State: complete. Missing: nothing of QEMU's.
class VirtSerialPort final : public VirtioSerialPort {
 public:
  static constexpr std::string_view kName = "virtserialport";
  static void describe(Schema<VirtSerialPort>& s) { s.help("serial port of a virtio-serial-bus"); }
  VirtSerialPort() : VirtioSerialPort(false) {}
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.3. A console: hvc0 in Linux. What its other end does not
/// take at once is lost, since drivers wait for each character and do nothing else meanwhile.
/// State: complete. Missing: its size, of which no chardev tells; nothing of QEMU's.
class VirtConsole final : public VirtioSerialPort {
 public:
  static constexpr std::string_view kName = "virtconsole";
  static void describe(Schema<VirtConsole>& s) { s.help("console of a virtio-serial-bus"); }
  VirtConsole() : VirtioSerialPort(true) {}
};

const RegisterAbstractType<VirtioSerialPort, Device> port_base;
const RegisterType<VirtSerialPort> port_registration;
const RegisterType<VirtConsole> console_registration;

}  // namespace
}  // namespace rhea::hw
