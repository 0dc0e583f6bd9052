// SPDX-License-Identifier: GPL-2.0-or-later
// Frames over a socket that keeps their bounds: one message is one frame.
#pragma once

#include "net/pause.h"
#include "rhea/net/netdev.h"
#include "rhea/util/file_descriptor.h"

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <vector>

namespace rhea::net {

/// What came in one go. The memory of each frame's place is the host's to give when it is first
/// touched: ordinary frames need a page each.
class DatagramBatch {
 public:
  static constexpr std::size_t kFrames = 64;
  DatagramBatch();

  /// Reads what is there from a datagram socket; false when that was nothing. An error that a
  /// socket reports of an earlier message of ours (nobody listens) is none of the frames'.
  bool read(int socket);
  /// The same of a device that gives one frame at a read(), behind `header` bytes for nobody.
  bool read_device(int device, std::size_t header);
  /// What has not been handed on.
  std::span<const Frame> waiting() const { return std::span(frames_).subspan(next_); }
  void drop(std::size_t frames) { next_ += frames; }

 private:
  struct Unmap {
    void operator()(u8* memory) const;
  };
  std::unique_ptr<u8, Unmap> memory_;
  std::vector<Frame> frames_;
  std::size_t next_{0};
};

/// A back end on a non-blocking datagram or sequenced-packet socket. Frames of no bytes, which no
/// link carries, are dropped; what the other side does not read in time waits in the socket, whose
/// buffer is the bound.
class DatagramNetdev : public Netdev {
 public:
  explicit DatagramNetdev(FileDescriptor socket) : socket_(std::move(socket)) {}

 protected:
  void begin() override;
  void end() override;
  std::size_t transmit(std::span<const Frame> frames) override;
  void resume() override;

  /// Reads what is there; false when that was nothing.
  virtual bool fill(DatagramBatch& batch) { return batch.read(socket()); }
  /// After a short transmit(): tells the front end when there is room. `error` is why there was
  /// none.
  void await_room(int error);
  /// Another socket in the place of this one; under the domain.
  void change_socket(FileDescriptor socket);
  int socket() const { return socket_.get(); }
  /// Where messages go; null when the socket is connected.
  virtual const sockaddr* destination(socklen_t& /*length*/) const { return nullptr; }
  /// The peer is gone for good (sequenced packets), or the device is.
  virtual void hung_up() {}

 private:
  void watch_input();
  /// False when nothing came.
  bool read();
  bool over() const;

  FileDescriptor socket_;
  std::optional<DatagramBatch> batch_;  ///< while a front end is there
  EventLoop::Watch input_;
  EventLoop::Watch output_;  ///< while the front end waits for room
  Pause pause_;              ///< while it waits for the host's memory
};

}  // namespace rhea::net
