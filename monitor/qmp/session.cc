// SPDX-License-Identifier: GPL-2.0-or-later
// A QMP server on a chardev.
#include "monitor/qmp/session.h"

namespace rhea::qmp {
namespace {

constexpr std::size_t kChunk = 16 * KiB;
// A client that does not read its answers gets no new ones.
constexpr std::size_t kMaxUnread = 1 * MiB;
// Descriptors that no command has claimed yet; older ones are closed.
constexpr std::size_t kMaxUnclaimed = 16;

}  // namespace

Session::Session(Machine& machine, Chardev& chardev, bool pretty)
    : machine_(&machine), chardev_(&chardev), pretty_(pretty), output_(chardev) {}

Session::~Session() {
  if (waiting_) waiting_->on_finish(nullptr);
  chardev_->detach(this);
}

Result<> Session::start() {
  chardev_->set_echo(true);
  return chardev_->attach({.can_receive = [this] { return can_receive(); },
                           .receive = [this](std::span<const u8> data) { receive(data); },
                           .event = [this](ChardevEvent what) { event(what); },
                           .can_send = [this] { can_send(); },
                           .moved = [this](Chardev& next) { moved(next); },
                           .owner = this,
                           .monitor = true});
}

void Session::send_event(const Json& event) {
  if (!open_ || !client_.negotiated) return;
  if (pretty_) return send(to_text(event, true));
  std::string text =
      "{\"timestamp\": " + to_text(event["timestamp"]) + ", \"event\": " + to_text(event["event"]);
  if (event.contains("data")) text += ", \"data\": " + to_text(event["data"]);
  send(text + "}");
}

std::size_t Session::can_receive() const {
  return busy_ || waiting_ || output_.pending() > kMaxUnread ? 0 : kChunk;
}

void Session::receive(std::span<const u8> data) {
  keep(chardev_->take_descriptors());
  // A command may run the main loop, which must not bring the next one in between.
  busy_ = true;
  framer_.feed(data, [this](Result<std::string_view> message) {
    if (client_changed_) return;
    if (!waiting_) return answer(std::move(message));
    unheard_.push_back(message ? Result<std::string>(*message) : std::unexpected(message.error()));
  });
  busy_ = false;
  if (std::exchange(client_changed_, false)) return new_client();
  if (left_ && !waiting_) new_client();
}

void Session::keep(std::vector<FileDescriptor> descriptors) {
  auto& kept = client_.received;
  for (FileDescriptor& fd : descriptors) kept.push_back(std::move(fd));
  if (kept.size() > kMaxUnclaimed)
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kMaxUnclaimed));
}

void Session::answer(Result<std::string_view> message) {
  Context context{.machine = *machine_, .client = client_};
  const std::string text = respond(context, std::move(message));
  if (context.later) return wait_for(context);
  send(text);
}

void Session::wait_for(const Context& context) {
  waiting_ = context.later;
  context.later->on_finish([this, text = context.answer_text](const Result<Json>& result) {
    waiting_.reset();
    send(text(result));
    if (!busy_) go_on();
  });
}

// With what came while the client waited.
void Session::go_on() {
  while (!waiting_ && !unheard_.empty()) {
    const Result<std::string> message = std::move(unheard_.front());
    unheard_.pop_front();
    answer(message ? Result<std::string_view>(*message) : std::unexpected(message.error()));
  }
  if (waiting_) return;
  if (left_) return new_client();
  chardev_->accept_input();
}

void Session::event(ChardevEvent what) {
  if (what != ChardevEvent::Opened && what != ChardevEvent::Closed) return;
  open_ = what == ChardevEvent::Opened;
  // What a client has said before it went is done, as without a command that takes long.
  left_ = !open_ && (busy_ || waiting_ != nullptr);
  if (!left_) change_client();
}

void Session::moved(Chardev& next) {
  chardev_ = &next;
  output_.move_to(next);
  open_ = false;
  change_client();
}

void Session::change_client() {
  if (busy_)
    client_changed_ = true;
  else
    new_client();
}

void Session::new_client() {
  left_ = false;
  if (waiting_) waiting_->on_finish(nullptr);
  waiting_.reset();
  unheard_.clear();
  framer_.reset();
  output_.reset();
  client_ = {};
  client_.pretty = pretty_;
  if (open_) send(to_text(greeting(), pretty_));
}

void Session::can_send() {
  output_.flush();
  if (output_.pending() <= kMaxUnread) chardev_->accept_input();
}

void Session::send(const std::string& text) { output_.write(text + "\r\n"); }

Json version() {
  return {{"qemu", {{"micro", 0}, {"minor", 2}, {"major", 7}}}, {"package", "Rhea " RHEA_VERSION}};
}

Json greeting() { return {{"QMP", {{"version", version()}, {"capabilities", Json::array()}}}}; }

}  // namespace rhea::qmp
