// SPDX-License-Identifier: GPL-2.0-or-later
// Frames over a stream socket: before each its length, four bytes, the most significant first.
#pragma once

#include "net/pause.h"
#include "rhea/net/netdev.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/message_limit.h"

#include <memory>
#include <string>
#include <vector>

namespace rhea::net {

/// Cuts a stream into frames. Its memory is fixed; what is not yet handed on stays in it.
class FrameCutter {
 public:
  enum class Read : u8 {
    Some,     ///< bytes have come
    Nothing,  ///< none for now
    End,      ///< the peer has closed, or an error has
  };
  FrameCutter();

  /// Frames that are here in full and have not been taken, the oldest first. They are valid until
  /// the next read().
  std::span<const Frame> waiting() const { return std::span(frames_).subspan(next_); }
  void drop(std::size_t frames) { next_ += frames; }
  /// Reads once, when nothing waits any more.
  Read read(int socket);
  /// A length came that no frame has: nothing can be made of the rest.
  bool broken() const { return broken_; }
  /// Forgets all, for another connection.
  void clear();

 private:
  void cut();

  std::unique_ptr<u8[]> memory_;
  std::size_t begin_{0}, end_{0};  ///< what has not been cut
  std::vector<Frame> frames_;
  std::size_t next_{0};
  bool broken_{false};
};

/// A back end on a stream socket, one peer at a time. While there is none, frames are dropped. It
/// accepts and connects only while a front end is there.
class StreamNetdev : public Netdev {
 public:
  static constexpr std::string_view kName = "netdev-stream";

  /// One of the two is there.
  struct Plan {
    std::string kind{};           ///< of -netdev
    FileDescriptor listener{};    ///< non-blocking
    FileDescriptor connection{};  ///< non-blocking; its connection is made or under way
    std::string what{};           ///< "listening on tcp:127.0.0.1:1234", for `info network`
  };
  static std::unique_ptr<Netdev> make(Plan plan);

  std::string_view kind() const override { return kind_; }
  std::string info() const override;

 protected:
  void begin() override;
  void end() override;
  std::size_t transmit(std::span<const Frame> frames) override;
  void resume() override;

 private:
  void watch();
  void accept();
  void connected();
  void begin_connection();
  void read();
  /// False when the socket takes no more, or is gone.
  bool flush();
  void await_room(int error);
  void try_again();
  /// The first frame of `frames` was sent up to `sent` bytes, its length included.
  void keep_rest(Frame frame, std::size_t sent);
  void lose(std::string_view why);

  std::string kind_, what_;
  FileDescriptor listener_, connection_;
  bool connecting_{false};  ///< connect() has not ended
  FrameCutter cutter_;
  std::vector<u8> rest_;  ///< of a frame that was sent in part
  std::size_t rest_sent_{0};
  EventLoop::Watch listening_, input_, output_;
  Pause pause_;         ///< until the host has more descriptors, or memory
  MessageLimit limit_;  ///< of peers that come and go
};

}  // namespace rhea::net
