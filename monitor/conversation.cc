// SPDX-License-Identifier: GPL-2.0-or-later
// What monitors of both kinds do with a chardev.
#include "monitor/conversation.h"

namespace rhea::monitor {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kChunk = 16 * KiB;
// A client that does not read its answers gets no new ones.
constexpr std::size_t kMaxUnread = 1 * MiB;
// Of one turn.
constexpr unsigned kMostHeard = 32;
constexpr auto kMostSpent = 10ms;

}  // namespace

Conversation::Conversation(Machine& machine, Chardev& chardev)
    : machine_(&machine), chardev_(&chardev), output_(chardev) {
  next_turn_.init(machine.loop(), [this] { next_turn(); });
}

Conversation::~Conversation() {
  if (waiting_) waiting_->on_finish(nullptr);
  chardev_->detach(this);
}

Result<> Conversation::start() {
  return chardev_->attach({.can_receive = [this] { return can_receive(); },
                           .receive = [this](std::span<const u8> data) { receive(data); },
                           .event = [this](ChardevEvent what) { event(what); },
                           .can_send = [this] { can_send(); },
                           .moved = [this](Chardev& next) { moved(next); },
                           .owner = this,
                           .monitor = true});
}

bool Conversation::is_read() const { return output_.pending() <= kMaxUnread; }

bool Conversation::turn_is_over() const { return heard_ >= kMostHeard || spent_ >= kMostSpent; }

// Who has gone reads nothing more, but what was said is done.
bool Conversation::has_next() const {
  return !waiting_ && !client_changed_ && !unheard_.empty() && (left_ || is_read());
}

std::size_t Conversation::can_receive() const {
  return busy_ || waiting_ || !unheard_.empty() || turn_is_over() || !is_read() ? 0 : kChunk;
}

void Conversation::receive(std::span<const u8> data) {
  cut(data, unheard_);
  go_on();
}

void Conversation::wait_for(std::shared_ptr<qmp::Later> later, qmp::Later::Callback tell) {
  waiting_ = std::move(later);
  waiting_->on_finish([this, tell = std::move(tell)](const Result<qmp::Json>& result) {
    waiting_.reset();
    tell(result);
    if (!busy_) go_on();
  });
}

void Conversation::next_turn() {
  heard_ = 0;
  spent_ = {};
  if (!busy_) go_on();
}

// With what the client has said, until it has to wait for an answer or others have their turn.
void Conversation::go_on() {
  // A command may run the main loop, which must not bring the next one in between.
  busy_ = true;
  while (has_next() && !turn_is_over()) {
    const Piece piece = std::move(unheard_.front());
    unheard_.pop_front();
    const auto begun = std::chrono::steady_clock::now();
    hear(piece);
    spent_ += std::chrono::steady_clock::now() - begun;
    ++heard_;
  }
  busy_ = false;
  // A mux brings its bytes one by one, all in the same turn.
  if (heard_ > 0) next_turn_.schedule();
  if (std::exchange(client_changed_, false)) return new_client();
  if (waiting_ || !unheard_.empty()) return;
  if (left_) return new_client();
  if (!turn_is_over()) chardev_->accept_input();
}

void Conversation::event(ChardevEvent what) {
  if (what == ChardevEvent::MuxIn || what == ChardevEvent::MuxOut)
    return shown(what == ChardevEvent::MuxIn);
  if (what == ChardevEvent::Break) return;
  open_ = what == ChardevEvent::Opened;
  left_ = !open_ && (busy_ || waiting_ != nullptr || !unheard_.empty());
  if (!left_) return change_client();
  if (!busy_) next_turn_.schedule();
}

void Conversation::moved(Chardev& next) {
  chardev_ = &next;
  output_.move_to(next);
  open_ = false;
  change_client();
}

void Conversation::change_client() {
  if (busy_)
    client_changed_ = true;
  else
    new_client();
}

void Conversation::new_client() {
  left_ = false;
  if (waiting_) waiting_->on_finish(nullptr);
  waiting_.reset();
  unheard_.clear();
  output_.reset();
  begin();
}

void Conversation::can_send() {
  output_.flush();
  if (!busy_ && has_next()) return next_turn_.schedule();
  if (is_read()) chardev_->accept_input();
}

}  // namespace rhea::monitor
