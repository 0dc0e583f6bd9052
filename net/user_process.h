// SPDX-License-Identifier: GPL-2.0-or-later
// Rhea's side of the process that a user network lives in: starts it, again when it dies, and
// opens what it asks for.
#pragma once

#include "net/guest_forward.h"
#include "net/host_forward.h"
#include "rhea/util/file_descriptor.h"
#include "util/child_process.h"
#include "util/host_folder.h"
#include "util/json.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rhea::net {

/// All functions are thread-safe and wait for nobody, but where they say so.
class UserProcess {
 public:
  struct Plan {
    std::string name;       ///< for messages
    Json configuration;     ///< net/user/session.cc reads it
    FileDescriptor frames;  ///< the network's end of the socket that frames go through
    std::optional<HostFolder> tftp;
    std::vector<GuestForward> guest_forwards;
    // For tests.
    std::vector<std::string> program{};        ///< another in the place of rhea-net-user
    std::chrono::milliseconds patience{1000};  ///< with its answers
  };
  explicit UserProcess(Plan plan);
  /// Ends the process; waits for a file that is being opened, half a second at most.
  ~UserProcess();
  UserProcess(const UserProcess&) = delete;
  UserProcess& operator=(const UserProcess&) = delete;

  /// The first call starts it, soon; frames wait in their socket meanwhile.
  void start();
  /// The same, and waits until it runs (seconds at most).
  Result<> start_and_wait();
  /// It cannot be started, or died and is not to come back at once: frames are lost.
  bool lost() const { return lost_.load(std::memory_order_relaxed); }
  /// 0: there is none now.
  pid_t pid() const { return pid_.load(std::memory_order_relaxed); }

  /// `forward` has its socket. The process gets it now or when it is started.
  void add_forward(HostForward forward);
  /// False when there is none such.
  bool remove_forward(const HostForward& host_side);
  /// Without their sockets.
  std::vector<HostForward> forwards() const;
  /// The guest's clock goes, or stands.
  void set_running(bool running);
  /// libslirp's table of connections; waits for the process, `patience` at most, without keeping
  /// others waiting. "" when there is none.
  Result<std::string> connections();

 private:
  /// What the process has yet to be told.
  struct Unsent {
    Json body;
    std::optional<HostForward> forward{};  ///< whose socket goes with it, if there is one still
  };
  /// One that has so much to read, forwards apart, reads nothing.
  static constexpr std::size_t kMostUnsent = 4096;

  void work();
  Result<> begin();
  /// Under the mutex: the process hears it soon.
  void tell(Unsent message);
  void tell_forward(const HostForward& forward);
  /// Until the process or this ends.
  void serve();
  bool has_unsent() const;
  Result<> send_one();
  void answer(const Json& question);
  /// What became of it, and when it may come again.
  void bury(std::chrono::steady_clock::time_point since);
  void wait_stopped(std::chrono::milliseconds most);

  const Plan plan_;
  GuestForwardTargets targets_;  ///< the thread's, as are the next
  std::optional<ChildProcess> child_;
  FileDescriptor files_;
  std::chrono::milliseconds pause_{0};

  std::atomic<bool> lost_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<pid_t> pid_{0};
  FileDescriptor wake_;

  mutable std::mutex mutex_;  ///< a leaf; the rest is under it
  std::condition_variable changed_;
  bool tried_{false};  ///< the first start has come to its end
  std::string trouble_;
  FileDescriptor control_;
  std::deque<Unsent> unsent_;
  u64 asked_{0};
  bool running_{true};
  std::vector<HostForward> forwards_;
  std::timed_mutex asking_;  ///< one asks at a time; taken before the other
  std::thread thread_;
};

}  // namespace rhea::net
