// SPDX-License-Identifier: GPL-2.0-or-later
// One user network: libslirp between frames on one side and the host's sockets on the other.
#pragma once

#include "net/user/message.h"
#include "rhea/util/types.h"

#include <poll.h>
#include <slirp/libslirp.h>

#include <deque>
#include <list>
#include <memory>
#include <vector>

namespace rhea::net::user {

/// All on one thread, that of run().
class Session {
 public:
  /// Takes what Rhea says with "configure".
  static Result<std::unique_ptr<Session>> create(const Json& configuration);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Until Rhea is gone. Frames come and go at `frames`, what Rhea says at `control`.
  Result<> run(int frames, int control);

 private:
  using Bytes = std::vector<u8>;
  struct Timer {
    SlirpTimerId id;
    void* opaque;
    i64 at_ms{-1};  ///< by the session's clock; negative: not set
  };
  /// As much waits for Rhea; then nothing is read of the host's sockets.
  static constexpr std::size_t kMostWaiting = 512;

  Session() = default;
  static const SlirpCb& callbacks();
  static Session& of(void* opaque) { return *static_cast<Session*>(opaque); }

  i64 now_ns() const;
  void set_running(bool running);
  /// How long poll() may wait.
  int wait_ms(u32 slirp_ms) const;
  void run_timers();
  /// False when Rhea is gone.
  bool read_frames();
  void write_frames();
  Result<> obey(int control);
  void forward(Message message);
  void unforward(const Json& rule);
  void answer_info(int control, const Json& number);
  bool full() const { return waiting_.size() >= kMostWaiting; }

  Slirp* slirp_{};
  int frames_{-1};
  std::vector<pollfd> polled_;
  std::deque<Bytes> waiting_;  ///< for the guest
  std::list<Timer> timers_;
  Bytes batch_;  ///< where frames are read to
  bool running_{true};
  i64 stopped_at_{0};  ///< the clock's, while the guest stands
  i64 lost_{0};        ///< how long the guest has stood in all
};

}  // namespace rhea::net::user
