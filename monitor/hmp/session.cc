// SPDX-License-Identifier: GPL-2.0-or-later
// A monitor for people on a chardev.
#include "monitor/hmp/session.h"

#include "monitor/qmp/descriptors.h"

#include <algorithm>

namespace rhea::hmp {
namespace {

// Scripts for QEMU wait for it.
constexpr std::string_view kPrompt = "(qemu) ";
// Each key may show the whole line anew.
constexpr std::size_t kMostKeys = 64;

}  // namespace

Session::Session(Machine& machine, Chardev& chardev)
    : Conversation(machine, chardev),
      editor_(kPrompt, view_.history,
              {.show = [this](std::string_view text) { say(text); },
               .line = [this](const std::string& line) { run(line); },
               .complete = [](std::string_view line) { return completions(line); }}) {}

void Session::cut(std::span<const u8> data, std::deque<Piece>& pieces) {
  qmp::keep(client_, chardev().take_descriptors());
  std::string_view keys(reinterpret_cast<const char*>(data.data()), data.size());
  while (!keys.empty()) {
    const std::size_t end = keys.find_first_of("\r\n\t");
    const std::size_t length = std::min({kMostKeys, keys.size(), end == keys.npos ? end : end + 1});
    pieces.emplace_back(std::string(keys.substr(0, length)));
    keys.remove_prefix(length);
  }
}

void Session::hear(const Piece& keys) {
  for (const char key : *keys) editor_.feed(static_cast<u8>(key));
}

void Session::begin() {
  editor_.reset();
  client_ = {};
  view_.cpu = 0;
  greeted_ = false;
  // Behind a mux the greeting waits until somebody looks.
  if (open() && chardev().filename() != "mux") greet();
}

void Session::shown(bool now) {
  shown_ = now;
  if (now) greet();
}

void Session::greet() {
  if (!std::exchange(greeted_, true))
    show("Rhea " RHEA_VERSION " monitor - type 'help' for more information\n");
  else
    show("\n");
  editor_.show_prompt();
}

void Session::run(const std::string& line) {
  Context context{.machine = machine(), .view = view_, .client = client_, .out = {}};
  run_line(context, line);
  show(context.out);
  const auto prompt = [this] {
    if (shown_) editor_.show_prompt();
  };
  if (!context.later) return prompt();
  wait_for(context.later, [this, prompt](const Result<qmp::Json>& result) {
    show(last_words(result));
    prompt();
  });
}

void Session::show(std::string_view text) { say(with_carriage_returns(text)); }

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
