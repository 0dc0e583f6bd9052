// SPDX-License-Identifier: GPL-2.0-or-later
// A QMP server on a chardev.
#include "monitor/qmp/session.h"

#include "monitor/qmp/descriptors.h"

namespace rhea::qmp {

Result<> Session::start() {
  chardev().set_echo(true);
  return Conversation::start();
}

void Session::send_event(const Json& event) {
  if (!open() || !client_.negotiated) return;
  if (pretty_) return send(to_text(event, true));
  std::string text =
      "{\"timestamp\": " + to_text(event["timestamp"]) + ", \"event\": " + to_text(event["event"]);
  if (event.contains("data")) text += ", \"data\": " + to_text(event["data"]);
  send(text + "}");
}

void Session::cut(std::span<const u8> data, std::deque<Piece>& pieces) {
  keep(client_, chardev().take_descriptors());
  framer_.feed(data, [&pieces](Result<std::string_view> message) {
    pieces.push_back(message ? Piece(*message) : std::unexpected(message.error()));
  });
}

void Session::hear(const Piece& message) {
  Context context{.machine = machine(), .client = client_};
  const std::string text = respond(
      context, message ? Result<std::string_view>(*message) : std::unexpected(message.error()));
  if (!context.later) return send(text);
  wait_for(context.later,
           [this, said = context.answer_text](const Result<Json>& result) { send(said(result)); });
}

void Session::begin() {
  framer_.reset();
  client_ = {};
  client_.pretty = pretty_;
  if (open()) send(to_text(greeting(), pretty_));
}

Json version() {
  return {{"qemu", {{"micro", 0}, {"minor", 2}, {"major", 7}}}, {"package", "Rhea " RHEA_VERSION}};
}

Json greeting() { return {{"QMP", {{"version", version()}, {"capabilities", Json::array()}}}}; }

}  // namespace rhea::qmp
