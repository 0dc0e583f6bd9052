// SPDX-License-Identifier: GPL-2.0-or-later
// What back ends on host file descriptors share: watching, flow control both ways, hang-up.
#pragma once

#include "rhea/chardev/chardev.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/util/file_descriptor.h"

#include <mutex>

namespace rhea::chardev {

/// Bytes from one descriptor go to the front end as it takes them; what it writes goes to another
/// (or the same). Without descriptors, output is taken and dropped.
class FdChardev : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-fd";
  using Extendable = FdChardev;
  ~FdChardev() override;

  Result<> attach(FrontEnd front_end) override;
  void detach(const void* owner = nullptr) override;
  void accept_input() override;
  std::size_t write(std::span<const u8> data) override;
  bool connected() const override { return in_ >= 0; }

 protected:
  void use_loop(Machine& machine);
  /// use_loop() and start() on descriptors that it keeps from now on; without `out`, `in` is both.
  void start_on(Machine& machine, FileDescriptor in, FileDescriptor out = {});
  EventLoop& loop() { return *machine_loop_; }
  /// Starts on these descriptors, which the caller keeps; tells the front end of the opening.
  void start(int in, int out);
  /// Lets go of both and tells the front end of the end.
  void stop();
  /// Lets go of the input only (end of file on standard input).
  void stop_input();

  /// One read into `buffer`: bytes, 0 at the end, or -1 with errno.
  virtual ssize_t receive_some(std::span<u8> buffer);
  /// One write that does not block: bytes or -1 with errno (EAGAIN: no room now).
  virtual ssize_t send_some(int fd, std::span<const u8> data);
  /// Sends what send_some() took and could not send yet; false while some of it is left.
  virtual bool flush_raw(int) { return true; }
  /// For send_some() that keeps a rest: calls flush_raw() when there is room.
  void wait_for_room();
  /// Guards output, and what a derived class needs for it; held in send_some() and flush_raw().
  std::mutex& output_mutex() { return out_mutex_; }
  /// The peer has gone (end of file, error). Usually: stop().
  virtual void hangup() = 0;
  /// The peer has gone but the front end has not taken everything yet.
  virtual void hangup_with_input() {}
  int in() const { return in_; }

 private:
  void update_input();
  void input_ready(FdEvents events);
  void output_ready();
  void watch_for_room();

  EventLoop* machine_loop_{};
  FileDescriptor own_in_, own_out_;
  int in_{-1};
  EventLoop::Watch in_watch_;
  bool reading_{false};
  bool half_dead_{false};  ///< the peer has gone, bytes of its are left
  std::mutex out_mutex_;   ///< guards out_ and want_room_: write() may come from any thread
  int out_{-1};
  bool want_room_{false};
  EventLoop::Watch out_watch_;
  Deferred watch_later_;  ///< room is waited for on the loop's thread
};

}  // namespace rhea::chardev
