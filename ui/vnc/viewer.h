// SPDX-License-Identifier: GPL-2.0-or-later
// A client of a VNC server, as Rhea sees it: the process that speaks with it.
#pragma once

#include "rhea/ui/console.h"
#include "rhea/util/event_loop.h"
#include "rhea/util/file_descriptor.h"
#include "ui/vnc/shared_picture.h"
#include "util/child_process.h"
#include "util/json.h"

#include <bitset>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace rhea::ui::vnc {

/// Main loop, under the machine's lock; waits for nobody. What the process does not take in time it
/// gets at one of the next refreshes.
class Viewer {
 public:
  struct Callbacks {
    std::function<void(Viewer& viewer, const Json& message)> heard;
    /// Its last call; the viewer is not to be destroyed within.
    std::function<void(Viewer& viewer)> gone;
  };
  static Result<std::unique_ptr<Viewer>> start(EventLoop& loop, FileDescriptor client,
                                               Json configuration, const SharedPicture& picture,
                                               Callbacks callbacks);
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  /// As VncBasicInfo has it: host, service, family.
  const Json& address() const { return address_; }
  bool websocket() const { return websocket_; }
  void set_websocket() { websocket_ = true; }
  /// The client is let in.
  bool ready() const { return ready_; }
  void set_ready() { ready_ = true; }
  bool over() const { return !control_; }

  void resized() { resized_ = true; }
  void changed(const Rect& rect);
  void set_absolute(bool absolute);
  /// Sends what it has yet to be told.
  void flush(const SharedPicture& picture);
  void hang_up();

  std::bitset<256> keys;  ///< that are down
  u8 buttons{0};          ///< RFB's, as last heard
  std::optional<std::pair<int, int>> place;

 private:
  explicit Viewer(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}
  void hear();
  bool send(const Json& message, int descriptor = -1);

  Callbacks callbacks_;
  std::optional<ChildProcess> child_;
  FileDescriptor control_;
  EventLoop::Watch watch_;
  Json address_;
  Rect dirty_;
  bool resized_{false}, websocket_{false}, ready_{false}, absolute_{true}, absolute_told_{true};
};

/// Where this end of a socket is, or the other one: host, service, family.
Json socket_name(int fd, bool other_end);

}  // namespace rhea::ui::vnc
