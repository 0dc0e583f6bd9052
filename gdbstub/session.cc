// SPDX-License-Identifier: GPL-2.0-or-later
// The connection with a debugger: bytes in, packets to those who answer them.
#include "gdbstub/session.h"

#include "gdbstub/description.h"
#include "gdbstub/session_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace rhea::gdbstub {
namespace {

constexpr std::size_t kChunk = 4 * KiB;
constexpr int kTooBig = 7;  // E2BIG; the protocol's numbers are Linux's

}  // namespace

// The longest names first where one begins like another.
std::span<const Session::Command> Session::commands() {
  static constexpr std::array kCommands = std::to_array<Command>({
      {"?", &Session::why_stopped},
      {"!", &Session::extend},
      {"g", &Session::read_registers},
      {"G", &Session::write_registers},
      {"p", &Session::read_register},
      {"P", &Session::write_register},
      {"m", &Session::read_memory},
      {"M", &Session::write_memory_hex},
      {"X", &Session::write_memory_binary},
      {"Z", &Session::insert_point},
      {"z", &Session::remove_point},
      {"c", &Session::go_on},
      {"C", &Session::go_on_with_signal},
      {"s", &Session::step_on},
      {"S", &Session::step_with_signal},
      {"v", &Session::verbose},
      {"H", &Session::choose_thread},
      {"T", &Session::thread_alive},
      {"D", &Session::detach},
      {"k", &Session::kill},
      {"R", &Session::restart},
      {"q", &Session::query},
      {"Q", &Session::set_up},
  });
  return kCommands;
}

Session::Session(Machine& machine, Chardev& chardev, std::function<std::optional<Layout>()> layout)
    : machine_(&machine),
      chardev_(&chardev),
      next_layout_(std::move(layout)),
      target_(machine),
      writer_(chardev) {
  work_later_.init(machine.loop(), [this] { work(); });
  run_later_.init(machine.loop(), [this] {
    const auto actions = std::exchange(rest_, {});
    if (waiting_ && !target_.running()) run(actions);
  });
}

Session::~Session() { chardev_->detach(this); }

Result<> Session::start() {
  return chardev_->attach({.can_receive = [this] { return can_receive(); },
                           .receive = [this](std::span<const u8> data) { receive(data); },
                           .event = [this](ChardevEvent what) { event(what); },
                           .can_send =
                               [this] {
                                 writer_.flush();
                                 if (!writer_.waiting()) work_later();
                               },
                           .owner = this,
                           .monitor = false});
}

std::size_t Session::can_receive() const {
  return writer_.waiting() || !input_.empty() ? 0 : kChunk;
}

void Session::receive(std::span<const u8> data) {
  input_.append(data.begin(), data.end());
  if (!working_) work();
}

void Session::event(ChardevEvent what) {
  if (what == ChardevEvent::Opened) connected();
  if (what == ChardevEvent::Closed) disconnected();
}

void Session::connected() {
  disconnected();
  target_.stop();
  cpu_ = run_cpu_ = 0;
  multiprocess_ = false;
  attached_ = true;
  target_.physical = false;
  target_.step_bits = step::kAll;
  Layout layout = Layout::X86_64;
  if (const auto asked = next_layout_())
    layout = *asked;
  else if (const auto state = target_.state(0))
    layout = layout_of(*state);
  target_.choose(layout);
  description_ = target_description(layout, target_.registers().features());
}

// Whoever has gone cannot take his breakpoints away any more. A machine that he stopped stays so:
// somebody may come back, and a monitor can let it go on.
void Session::disconnected() {
  input_.clear();
  reader_.reset();
  writer_.reset();
  waiting_ = attached_ = false;
  connection_changed_ = true;
  target_.let_go();
}

// One packet, then the others of the main loop have their turn.
void Session::work() {
  working_ = true;
  connection_changed_ = false;
  while (!input_.empty() && !writer_.waiting()) {
    std::size_t taken = 0;
    auto event = PacketReader::Event::None;
    while (taken < input_.size() && event == PacketReader::Event::None)
      event = reader_.feed(static_cast<u8>(input_[taken++]));
    input_.erase(0, taken);
    busy_ = true;
    take(event);
    busy_ = false;
    if (connection_changed_) break;
    if (event != PacketReader::Event::None && event != PacketReader::Event::Accepted) break;
  }
  working_ = false;
  if (input_.empty())
    chardev_->accept_input();
  else if (!writer_.waiting())
    work_later();
}

void Session::work_later() {
  if (std::exchange(working_, true)) return;
  work_later_.schedule();
}

void Session::take(PacketReader::Event event) {
  using Event = PacketReader::Event;
  switch (event) {
    case Event::None:
    case Event::Accepted: return;
    case Event::Rejected:
      if (writer_.acknowledging()) writer_.repeat();
      return;
    case Event::Interrupt: return interrupt();
    case Event::Damaged: return writer_.acknowledge(false);
    case Event::TooLong: writer_.acknowledge(true); return error(kTooBig);
    case Event::Packet: break;
  }
  writer_.acknowledge(true);
  // Nobody sends packets to a machine that runs for him. It may run because of a monitor's command.
  if (attached_) target_.stop();
  execute(reader_.take());
}

void Session::execute(std::string_view packet) {
  for (const Command& command : commands())
    if (packet.starts_with(command.name))
      return (this->*command.run)(Request(packet.substr(command.name.size())));
  reply("");
}

void Session::error(int number) { reply(fmt::format("E{:02x}", number)); }

void Session::ok_or_error(bool good) {
  if (good)
    reply("OK");
  else
    error(EINVAL);
}

std::string Session::thread_text(unsigned cpu) const {
  return fmt::format("{}{:02x}", multiprocess_ ? "p01." : "", cpu + 1);
}

void Session::say_goodbye() {
  if (!attached_ && !waiting_) return;
  writer_.send("W00");
  writer_.flush_all();
}

}  // namespace rhea::gdbstub
