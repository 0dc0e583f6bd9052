// SPDX-License-Identifier: GPL-2.0-or-later
// A monitor for people on a chardev.
#include "monitor/hmp/session.h"

namespace rhea::hmp {
namespace {

constexpr std::size_t kChunk = 4 * KiB;
constexpr std::size_t kMaxUnread = 1 * MiB;
// Scripts for QEMU wait for it.
constexpr std::string_view kPrompt = "(qemu) ";

}  // namespace

Session::Session(Machine& machine, Chardev& chardev)
    : machine_(&machine),
      chardev_(&chardev),
      output_(chardev),
      editor_(kPrompt, view_.history,
              {.show = [this](std::string_view text) { output_.write(text); },
               .line = [this](const std::string& line) { run(line); },
               .complete = [](std::string_view line) { return completions(line); }}) {}

Session::~Session() {
  forget_waiting();
  chardev_->detach(this);
}

void Session::forget_waiting() {
  if (waiting_) waiting_->on_finish(nullptr);
  waiting_.reset();
  unheard_.clear();
}

Result<> Session::start() {
  return chardev_->attach({.can_receive = [this] { return can_receive(); },
                           .receive = [this](std::span<const u8> data) { receive(data); },
                           .event = [this](ChardevEvent what) { event(what); },
                           .can_send =
                               [this] {
                                 output_.flush();
                                 if (output_.pending() <= kMaxUnread) chardev_->accept_input();
                               },
                           .moved = [this](Chardev& next) { moved(next); },
                           .owner = this,
                           .monitor = true});
}

std::size_t Session::can_receive() const {
  return busy_ || waiting_ || output_.pending() > kMaxUnread ? 0 : kChunk;
}

void Session::receive(std::span<const u8> data) {
  busy_ = true;
  for (const u8 byte : data) {
    if (client_changed_) break;
    if (waiting_)
      unheard_ += static_cast<char>(byte);
    else
      editor_.feed(byte);
  }
  busy_ = false;
  if (std::exchange(client_changed_, false)) return new_client();
  if (left_ && !waiting_) new_client();
}

void Session::event(ChardevEvent what) {
  switch (what) {
    case ChardevEvent::Closed:
      greeted_ = false;
      // What it has said before it went is done, as without a command that takes long.
      left_ = busy_ || waiting_ != nullptr;
      if (!left_) new_client();
      return;
    case ChardevEvent::Opened:
      greeted_ = false;
      if (busy_)
        client_changed_ = true;
      else
        new_client();
      return;
    case ChardevEvent::MuxOut: shown_ = false; return;
    case ChardevEvent::MuxIn: shown_ = true; return greet();
    case ChardevEvent::Break: return;
  }
}

void Session::moved(Chardev& next) {
  chardev_ = &next;
  output_.move_to(next);
  output_.reset();
  editor_.reset();
  greeted_ = false;
}

void Session::new_client() {
  left_ = false;
  forget_waiting();
  output_.reset();
  editor_.reset();
  view_.cpu = 0;
  // Behind a mux the greeting waits until somebody looks.
  if (chardev_->connected() && chardev_->filename() != "mux") greet();
}

void Session::greet() {
  if (!std::exchange(greeted_, true))
    show("Rhea " RHEA_VERSION " monitor - type 'help' for more information\n");
  else
    show("\n");
  editor_.show_prompt();
}

void Session::run(const std::string& line) {
  Context context{.machine = *machine_, .view = view_, .client = client_, .out = {}};
  run_line(context, line);
  show(context.out);
  if (!context.later) {
    if (shown_) editor_.show_prompt();
    return;
  }
  waiting_ = context.later;
  waiting_->on_finish([this](const Result<qmp::Json>& result) {
    waiting_.reset();
    show(last_words(result));
    if (shown_) editor_.show_prompt();
    if (busy_) return;
    const std::string unheard = std::exchange(unheard_, {});
    receive({reinterpret_cast<const u8*>(unheard.data()), unheard.size()});
    if (!waiting_) chardev_->accept_input();
  });
}

void Session::show(std::string_view text) { output_.write(with_carriage_returns(text)); }

std::function<std::string(const std::string&)> command_runner(Machine& machine) {
  struct State {
    View view;
    qmp::Client client;
  };
  return [&machine, state = std::make_shared<State>()](const std::string& line) {
    Context context{.machine = machine, .view = state->view, .client = state->client, .out = {}};
    run_line(context, line);
    return std::move(context.out);
  };
}

std::string with_carriage_returns(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 64);
  for (const char c : text) {
    if (c == '\n') result += '\r';
    result += c;
  }
  return result;
}

}  // namespace rhea::hmp
