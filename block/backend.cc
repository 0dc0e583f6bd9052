// SPDX-License-Identifier: GPL-2.0-or-later
// Drives: requests from the devices to the I/O thread, completions back to the main loop.
#include "block/io_thread.h"
#include "block/trace_events.h"
#include "rhea/block/block_backend.h"

#include <algorithm>
#include <deque>
#include <vector>

namespace rhea {

using namespace block;

namespace {

// How many requests one drive may have under way before the asker waits for the disk.
constexpr unsigned kQueueDepth = 256;

// Where the I/O thread leaves results. Shared with it, so that neither cares who dies first.
class Mailbox {
 public:
  struct Letter {
    BlockBackend::Completion done;
    Result<> result;
  };

  void started() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return unfinished_ < kQueueDepth; });
    ++unfinished_;
    ++in_flight_;
  }
  void finished(Letter letter) {
    {
      const std::lock_guard lock(mutex_);
      --unfinished_;
      letters_.push_back(std::move(letter));
    }
    changed_.notify_all();
  }
  unsigned in_flight() const {
    const std::lock_guard lock(mutex_);
    return in_flight_;
  }
  // Hands out what has arrived; a completion may start the next request.
  void deliver() {
    while (true) {
      std::unique_lock lock(mutex_);
      if (letters_.empty()) return;
      Letter letter = std::move(letters_.front());
      letters_.pop_front();
      --in_flight_;
      lock.unlock();
      if (letter.done) letter.done(std::move(letter.result));
    }
  }
  // False when nothing is under way (any more).
  bool wait() {
    std::unique_lock lock(mutex_);
    if (in_flight_ == 0) return false;
    changed_.wait(lock, [this] { return !letters_.empty(); });
    return true;
  }
  // Waits for the I/O thread and forgets its answers.
  void abandon() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return unfinished_ == 0; });
    letters_.clear();
    in_flight_ = 0;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  unsigned unfinished_{0};  ///< with the I/O thread
  unsigned in_flight_{0};   ///< whose completion has not begun
  std::deque<Letter> letters_;
};

}  // namespace

struct BlockBackend::Impl {
  std::unique_ptr<BlockNode> node;
  std::vector<std::function<void(bool)>> observers;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::shared_ptr<IoThread> thread;

  void start(Machine& machine, std::function<Result<>()> work, Completion done) {
    if (!thread) thread = machine.service<BlockService>().thread();
    mailbox->started();
    thread->post([box = mailbox, &loop = machine.loop(), work = std::move(work),
                  done = std::move(done)]() mutable {
      box->finished({.done = std::move(done), .result = work()});
      loop.defer([box] { box->deliver(); });
    });
  }

  // A request that is refused completes like any other: later, on the main loop.
  Result<> check(u64 offset, u64 length, bool write) const {
    if (!node) return fail("no medium");
    if (write && node->read_only()) return fail("'{}' is read-only", node->filename());
    if (offset > node->size() || length > node->size() - offset)
      return fail("{} bytes at {} are beyond the end of '{}'", length, offset, node->filename());
    return {};
  }
};

BlockBackend::BlockBackend() : impl_(std::make_unique<Impl>()) {}
BlockBackend::~BlockBackend() { impl_->mailbox->abandon(); }

bool BlockBackend::inserted() const { return impl_->node != nullptr; }
u64 BlockBackend::size() const { return impl_->node ? impl_->node->size() : 0; }
bool BlockBackend::read_only() const { return impl_->node ? impl_->node->read_only() : cdrom_; }
std::string BlockBackend::filename() const { return impl_->node ? impl_->node->filename() : ""; }
std::string BlockBackend::format() const {
  return std::string(impl_->node ? impl_->node->format() : "");
}

void BlockBackend::insert(std::unique_ptr<BlockNode> node) {
  drain();
  impl_->node = std::move(node);
  for (const auto& observer : impl_->observers) observer(true);
}

void BlockBackend::eject() {
  drain();
  if (!impl_->node) return;
  impl_->node.reset();
  for (const auto& observer : impl_->observers) observer(false);
}

void BlockBackend::on_media_change(std::function<void(bool inserted)> observer) {
  impl_->observers.push_back(std::move(observer));
}

void BlockBackend::read(u64 offset, std::span<u8> data, Completion done) {
  block_read(name(), offset, data.size());
  auto allowed = impl_->check(offset, data.size(), false);
  impl_->start(
      machine(),
      [node = impl_->node.get(), offset, data, allowed]() -> Result<> {
        return allowed ? node->read(offset, data) : allowed;
      },
      [this, bytes = data.size(), done = std::move(done)](Result<> result) {
        ++statistics_.reads;
        if (result) statistics_.read_bytes += bytes;
        if (!result) block_error(name(), result.error().message());
        done(std::move(result));
      });
}

void BlockBackend::write(u64 offset, std::span<const u8> data, Completion done) {
  block_write(name(), offset, data.size());
  auto allowed = impl_->check(offset, data.size(), true);
  impl_->start(
      machine(),
      [node = impl_->node.get(), offset, data, allowed]() -> Result<> {
        return allowed ? node->write(offset, data) : allowed;
      },
      [this, bytes = data.size(), done = std::move(done)](Result<> result) {
        ++statistics_.writes;
        if (result) statistics_.written_bytes += bytes;
        if (!result) block_error(name(), result.error().message());
        done(std::move(result));
      });
}

void BlockBackend::flush(Completion done) {
  block_flush(name());
  auto allowed = impl_->check(0, 0, false);
  impl_->start(
      machine(),
      [node = impl_->node.get(), allowed]() -> Result<> {
        return allowed ? node->flush() : allowed;
      },
      [this, done = std::move(done)](Result<> result) {
        ++statistics_.flushes;
        if (!result) block_error(name(), result.error().message());
        done(std::move(result));
      });
}

void BlockBackend::drain() {
  while (impl_->mailbox->wait()) impl_->mailbox->deliver();
}

unsigned BlockBackend::in_flight() const { return impl_->mailbox->in_flight(); }

namespace {
const RegisterType<BlockBackend, Object> registration;
}  // namespace

}  // namespace rhea
