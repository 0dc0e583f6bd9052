// SPDX-License-Identifier: GPL-2.0-or-later
// A conversation with the process behind a device: requests both ways, and answers to them.
//
// A thread of the derived class reads what the peer sends and never takes a lock for longer than a
// moment. Requests of the peer are handled in their order, under the machine's lock: on the main
// loop, or by whoever waits for an answer and has that lock, or gets it without waiting (the main
// loop may itself be waiting for a vCPU that waits here). An answer is delivered after the requests
// that came before it, so the interrupt that a register lowers is low when the guest's access
// completes.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace rhea::hw {

/// How long an answer may take: one that a vCPU waits for without a lock, and one that is waited
/// for with the machine's held. machine.service<PeerPatience>(), set before there are devices.
struct PeerPatience final : MachineService {
  explicit PeerPatience(Machine&) {}
  std::chrono::milliseconds unlocked{2000}, locked{250};
};

/// `Message` is what the derived class makes of the bytes. It reads on a thread of its own, which
/// hands messages to take(), and ends that thread in its destructor, after close().
template <class Message>
class PeerLink : public std::enable_shared_from_this<PeerLink<Message>> {
 public:
  using Duration = std::chrono::milliseconds;

  struct Callbacks {
    /// A request, with the machine's lock held. What it returns false for is nonsense.
    std::function<bool(Message& request)> request;
    /// Once, with the machine's lock held, when the peer is given up.
    std::function<void()> lost;
  };

  virtual ~PeerLink() = default;
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  /// From now on a peer that is given up is worth a warning; before, it is an error of realize().
  void connected() { connected_ = true; }
  bool is_connected() const { return connected_; }
  /// From now on every wait for the peer ends at once. On the main thread.
  void close() {
    const std::lock_guard guard(mutex_);
    given_up_ = closed_ = over_ = true;
    hang_up();
    changed_.notify_all();
  }
  /// Why the peer was given up; empty while it was not.
  std::string reason() const {
    const std::lock_guard guard(mutex_);
    return reason_;
  }

 protected:
  using Handler = std::function<bool(Message& answer)>;
  using Time = std::chrono::steady_clock::time_point;

  /// Messages call the device `name` and the peer `who` ("its process").
  PeerLink(Machine& machine, std::string name, std::string who, Callbacks callbacks)
      : machine_(&machine),
        patience_(&machine.service<PeerPatience>()),
        name_(std::move(name)),
        who_(std::move(who)),
        callbacks_(std::move(callbacks)) {}

  /// Ends what the reader waits for. Called with mutex_ held.
  virtual void hang_up() = 0;
  /// For the warning about a request that is nonsense.
  virtual std::string words_of(const Message& request) const = 0;

  void give_up(const std::string& why) {
    if (given_up_.exchange(true)) return;
    if (connected_)
      report_warning(fmt::format("{}: {}; reads are all ones from here on", name_, why));
    // First, so that on the main loop it comes before whatever follows the access that ends now.
    machine_->loop().defer([weak = this->weak_from_this()] {
      if (const auto self = weak.lock(); self && !self->closed_) self->callbacks_.lost();
    });
    const std::lock_guard guard(mutex_);
    if (over_) return;
    over_ = true;
    reason_ = why;
    hang_up();
    changed_.notify_all();
  }
  bool over() const {
    const std::lock_guard guard(mutex_);
    return over_;
  }

  /// From the reader: a request, or the answer to one of ours. Waits while much is waiting. False
  /// when there is no more to read.
  bool take(Message message, std::optional<u64> answer_to) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_ || waiting_.size() < kMostWaiting; });
    if (over_) return false;
    const auto asked = answer_to ? asked_.find(*answer_to) : asked_.end();
    if (answer_to && asked == asked_.end()) {
      lock.unlock();
      give_up(who_ + " sends nonsense: an answer to nothing");
      return false;
    }
    const bool in_line = !answer_to || asked->second.handler || !waiting_.empty() || serving_soon_;
    if (in_line) {
      put_in_line({.message = std::move(message), .answer_to = answer_to}, lock);
      return true;
    }
    asked_.erase(asked);
    answers_.emplace(*answer_to, std::move(message));
    changed_.notify_all();
    return true;
  }

  /// The number of a request to come, whose answer goes to wait_for(), or to `handler` under the
  /// machine's lock: false calls it nonsense. For the latter look_for_late() waits until `limit`.
  u64 next_id(Handler handler = nullptr, Time limit = Time::max()) {
    const std::lock_guard guard(mutex_);
    if (over_) return 0;  // nobody will answer, and nothing may pile up
    while (asked_.contains(next_id_ & kIdMask) || answers_.contains(next_id_ & kIdMask)) ++next_id_;
    const u64 id = next_id_++ & kIdMask;
    asked_.emplace(id, Asked{.handler = std::move(handler), .limit = limit});
    return id;
  }
  /// Now and then on the reader: gives a peer up that does not answer in time.
  void look_for_late() {
    const Time now = std::chrono::steady_clock::now();
    {
      const std::lock_guard guard(mutex_);
      const auto late = [now](const auto& asked) { return asked.second.limit < now; };
      if (std::ranges::none_of(asked_, late)) return;
    }
    give_up(who_ + " does not answer");
  }

  /// Waits for an answer; nullopt when there is none and never will be.
  std::optional<Message> wait_for(u64 id, std::optional<Duration> patience = {}) {
    const bool locked = machine_->lock().held_by_me();
    const Duration usual = locked ? patience_->locked : patience_->unlocked;
    const Time limit = std::chrono::steady_clock::now() + patience.value_or(usual);
    std::unique_lock lock(mutex_);
    for (;;) {
      if (auto found = answers_.extract(id)) return std::move(found.mapped());
      if (over_) return std::nullopt;
      if (std::chrono::steady_clock::now() >= limit) break;
      if (waiting_.empty()) {
        changed_.wait_until(lock, limit);
        continue;
      }
      lock.unlock();
      const bool served = serve_here(locked);
      lock.lock();
      if (!served) changed_.wait_for(lock, kLookAgain);
    }
    lock.unlock();
    give_up(who_ + " does not answer");
    return std::nullopt;
  }

  /// Has `work` done under the machine's lock, behind the requests that came before, and waits for
  /// it.
  void in_line(std::function<void()> work) {
    const u64 id = next_id();
    {
      std::unique_lock lock(mutex_);
      if (over_) return;
      put_in_line({.message = {}, .answer_to = id, .work = std::move(work)}, lock);
    }
    wait_for(id);
  }

  Machine& machine() const { return *machine_; }
  const std::string& name() const { return name_; }
  const std::string& who() const { return who_; }

 private:
  static constexpr std::size_t kMostWaiting = 64;
  static constexpr int kServeAtOnce = 32;
  static constexpr u64 kIdMask = 0xffff;
  static constexpr Duration kLookAgain{1};

  struct Asked {
    Handler handler;
    Time limit;
  };

  struct Entry {
    Message message;
    std::optional<u64> answer_to;
    std::function<void()> work{};
  };

  void put_in_line(Entry entry, std::unique_lock<std::mutex>& lock) {
    waiting_.push_back(std::move(entry));
    changed_.notify_all();
    if (std::exchange(serving_soon_, true)) return;
    lock.unlock();
    serve_soon();
    lock.lock();
  }

  void serve_soon() {
    if (deferred_.exchange(true)) return;
    machine_->loop().defer([weak = this->weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->deferred_ = false;
      self->serve();
    });
  }

  bool serve_here(bool locked) {
    if (!locked && !machine_->lock().try_lock()) return false;
    serve();
    if (!locked) machine_->lock().unlock();
    return true;
  }

  // Under the machine's lock.
  void serve() {
    for (int left = kServeAtOnce;; --left) {
      std::unique_lock lock(mutex_);
      if (waiting_.empty() || over_) {
        serving_soon_ = false;
        return;
      }
      if (left == 0) {
        serving_soon_ = true;
        break;
      }
      Entry entry = std::move(waiting_.front());
      waiting_.pop_front();
      // Answers that come meanwhile stay behind it.
      serving_soon_ = true;
      changed_.notify_all();
      handle(std::move(entry), lock);
    }
    serve_soon();
  }

  void handle(Entry entry, std::unique_lock<std::mutex>& lock) {
    Handler handler = callbacks_.request;
    if (entry.answer_to) {
      if (auto asked = asked_.extract(*entry.answer_to))
        handler = std::move(asked.mapped().handler);
      if (!handler || entry.work) {
        if (entry.work) {
          lock.unlock();
          entry.work();
          lock.lock();
        }
        answers_.emplace(*entry.answer_to, std::move(entry.message));
        changed_.notify_all();
        return;
      }
    }
    lock.unlock();
    if (!handler(entry.message)) give_up(who_ + " sends nonsense: " + words_of(entry.message));
  }

  Machine* machine_;
  const PeerPatience* patience_;
  std::string name_;
  std::string who_;
  Callbacks callbacks_;

  std::deque<Entry> waiting_;       ///< requests, answers behind them, and work of our own
  std::map<u64, Asked> asked_;      ///< what has no answer yet
  std::map<u64, Message> answers_;  ///< delivered, not yet fetched
  u64 next_id_{1};
  bool over_{false};
  bool closed_{false};
  bool serving_soon_{false};  ///< somebody is at it, or will be
  std::atomic<bool> deferred_{false};
  std::string reason_;
  std::atomic<bool> given_up_{false};
  std::atomic<bool> connected_{false};

 protected:
  mutable std::mutex mutex_;  ///< guards all of the above, and what the derived class sends
  std::condition_variable changed_;
};

}  // namespace rhea::hw
