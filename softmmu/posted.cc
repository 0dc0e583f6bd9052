// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/softmmu/posted.h"

#include <utility>

namespace rhea {

struct Posted::Call final : PostedCall {
  Call(Machine& of, std::function<void()> what) : machine(&of), work(std::move(what)) {}

  // Under the machine's lock nobody ends the work's owner.
  void run() override {
    const DomainGuard lock(&machine->lock());
    if (wanted.exchange(false) && !ended) work();
  }

  Machine* machine;
  std::function<void()> work;
  std::atomic<bool> wanted{false};
  std::atomic<bool> ended{false};
};

void Posted::init(Machine& machine, std::function<void()> work) {
  end();
  call_ = std::make_shared<Call>(machine, std::move(work));
}

void Posted::post() {
  if (!initialised()) used_before_init("Posted");
  if (call_->ended) return;
  const bool asked_before = call_->wanted.exchange(true);
  if (call_->machine->lock().held_by_me()) return call_->run();
  // A guest's access waits for it even when somebody else is to do it: whoever comes first does.
  if (PostScope::add(call_) || asked_before) return;
  call_->machine->loop().defer([call = call_] { call->run(); });
}

void Posted::end() {
  if (!call_) return;
  call_->ended = true;
  call_->wanted = false;
}

void Posted::settle() {
  if (call_) call_->run();
}

void PostedLine::init(Machine& machine, IrqOutput& line) {
  line_ = &line;
  posted_.init(machine, [this] { tell(); });
}

void PostedLine::set(bool level) {
  {
    const std::lock_guard lock(mutex_);
    if (level == level_) return;
    level_ = level;
    (level ? rose_ : fell_) = true;
  }
  posted_.post();
}

// After the line's own level.
void PostedLine::loaded() {
  const std::lock_guard lock(mutex_);
  level_ = line_ != nullptr && line_->level();
  rose_ = fell_ = false;
}

bool PostedLine::level() const {
  const std::lock_guard lock(mutex_);
  return level_;
}

void PostedLine::tell() {
  bool level = false, pulse = false;
  {
    const std::lock_guard lock(mutex_);
    level = level_;
    pulse = std::exchange(level ? fell_ : rose_, false);
    rose_ = fell_ = false;
  }
  // What stands at the level that it had before has been away from it.
  if (pulse) line_->set(!level);
  line_->set(level);
}

}  // namespace rhea
