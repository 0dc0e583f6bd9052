// SPDX-License-Identifier: GPL-2.0-or-later
// The socket between a device and the process that models it: a line of JSON each way.
//
// A thread reads what the process sends and never takes a lock for longer than a moment. Requests
// of the process are handled in their order, under the machine's lock: on the main loop, or by
// whoever waits for an answer with that lock held. An answer is delivered after the requests that
// came before it, so the interrupt that a register lowers is low when the guest's access completes.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"
#include "util/child_process.h"
#include "util/json.h"

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
#include <thread>
#include <vector>

namespace rhea::hw {

class ProcessLink : public std::enable_shared_from_this<ProcessLink> {
 public:
  /// The number of the process's end of the socket; RHEA_DEVICE_SOCKET says it, too.
  static constexpr int kSocket = 3;
  /// How long an answer may take: one that a vCPU waits for without a lock, and one that is waited
  /// for with the machine's held.
  static constexpr std::chrono::milliseconds kPatience{2000}, kPatienceLocked{250};

  struct Callbacks {
    /// A request, with the machine's lock held. What it returns false for is nonsense.
    std::function<bool(const Json& request)> request;
    /// Once, with the machine's lock held, when the process is given up.
    std::function<void()> lost;
  };

  /// `name` is what messages call the device. On the main thread, as is the link's end.
  static Result<std::shared_ptr<ProcessLink>> start(Machine& machine, std::string name,
                                                    const std::vector<std::string>& words,
                                                    std::span<const std::string> variables,
                                                    Callbacks callbacks);
  ~ProcessLink();
  ProcessLink(const ProcessLink&) = delete;
  ProcessLink& operator=(const ProcessLink&) = delete;

  /// Sends a request and waits for the answer; nullopt when there is none and never will be. From
  /// any thread, with the machine's lock or without any.
  std::optional<Json> ask(Json request, std::optional<std::chrono::milliseconds> patience = {});
  /// Sends what has no answer.
  void tell(const Json& message);
  /// From now on a process that is given up is worth a warning; before, it is an error of
  /// realize().
  void connected() { connected_ = true; }
  /// From now on every ask() ends at once.
  void close();
  /// Why the process was given up; empty while it was not.
  std::string reason() const;

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  ProcessLink(Machine& machine, std::string name, Callbacks callbacks)
      : machine_(&machine), name_(std::move(name)), callbacks_(std::move(callbacks)) {}

  void read_lines();
  bool take(std::string_view line);
  void take_in(Json message, std::unique_lock<std::mutex>& lock);
  void serve();
  void serve_soon();
  std::string last_words();
  void give_up(const std::string& why);
  std::optional<Json> wait_for(u64 id, Deadline limit, bool locked);

  Machine* machine_;
  std::string name_;
  Callbacks callbacks_;
  FileDescriptor socket_;
  std::optional<ChildProcess> child_;  ///< the reader's, once that runs

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Json> waiting_;     ///< requests, and answers behind them
  std::map<u64, Json> answers_;  ///< delivered, not yet fetched
  u64 next_id_{1};
  bool over_{false};
  bool closed_{false};
  bool serving_soon_{false};
  std::string reason_;
  std::atomic<bool> given_up_{false};
  std::atomic<bool> connected_{false};
  std::jthread reader_;  ///< the last: it uses the others
};

}  // namespace rhea::hw
