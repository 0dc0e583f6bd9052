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
// Then others have their turn: some answers take milliseconds, and a chunk holds hundreds of
// questions.
constexpr unsigned kTurn = 32;

}  // namespace

Session::Session(Machine& machine, Chardev& chardev, bool pretty)
    : machine_(&machine), chardev_(&chardev), pretty_(pretty), output_(chardev) {
  next_turn_.init(machine.loop(), [this] { go_on(); });
}

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

bool Session::is_read() const { return output_.pending() <= kMaxUnread; }

std::size_t Session::can_receive() const {
  return busy_ || waiting_ || !unheard_.empty() || !is_read() ? 0 : kChunk;
}

void Session::receive(std::span<const u8> data) {
  keep(chardev_->take_descriptors());
  framer_.feed(data, [this](Result<std::string_view> message) {
    unheard_.push_back(message ? Result<std::string>(*message) : std::unexpected(message.error()));
  });
  go_on();
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

// With what the client has said, until it has to wait for an answer.
void Session::go_on() {
  // A command may run the main loop, which must not bring the next one in between.
  busy_ = true;
  for (unsigned n = 0; n < kTurn && has_next(); ++n) {
    const Result<std::string> message = std::move(unheard_.front());
    unheard_.pop_front();
    answer(message ? Result<std::string_view>(*message) : std::unexpected(message.error()));
  }
  busy_ = false;
  if (std::exchange(client_changed_, false)) return new_client();
  if (has_next()) return next_turn_.schedule();
  if (waiting_ || !unheard_.empty()) return;
  if (left_) return new_client();
  chardev_->accept_input();
}

// Who has gone reads nothing more, but what was said is done.
bool Session::has_next() const {
  return !waiting_ && !client_changed_ && !unheard_.empty() && (left_ || is_read());
}

void Session::event(ChardevEvent what) {
  if (what != ChardevEvent::Opened && what != ChardevEvent::Closed) return;
  open_ = what == ChardevEvent::Opened;
  // What a client has said before it went is done, as without a command that takes long.
  left_ = !open_ && (busy_ || waiting_ != nullptr || !unheard_.empty());
  if (!left_) return change_client();
  if (!busy_) next_turn_.schedule();
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
  if (!busy_ && has_next()) return next_turn_.schedule();
  if (is_read()) chardev_->accept_input();
}

void Session::send(const std::string& text) { output_.write(text + "\r\n"); }

Json version() {
  return {{"qemu", {{"micro", 0}, {"minor", 2}, {"major", 7}}}, {"package", "Rhea " RHEA_VERSION}};
}

Json greeting() { return {{"QMP", {{"version", version()}, {"capabilities", Json::array()}}}}; }

}  // namespace rhea::qmp
