// SPDX-License-Identifier: GPL-2.0-or-later
// A VNC server: who connects to it sees the machine's first screen and uses its keyboard and
// pointer. Each client is served by a process of its own (viewer.h).
#pragma once

#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/machine.h"
#include "rhea/ui/console.h"
#include "rhea/util/message_limit.h"
#include "ui/vnc/options.h"
#include "ui/vnc/shared_picture.h"
#include "ui/vnc/viewer.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rhea::ui::vnc {

/// Main loop, under the machine's lock.
class Server final : private DisplayClient {
 public:
  /// VNC_CONNECTED and its kin, with their data.
  using Tell = std::function<void(const std::string& event, Json data)>;

  static constexpr std::size_t kMostViewers = 32;

  /// Listens; nobody is served before start().
  static Result<std::unique_ptr<Server>> listen(Machine& machine, Options options, Tell tell);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  const std::string& id() const { return options_.id; }
  bool wants_password() const { return options_.password; }
  /// For those who come from now on; without one nobody is let in.
  void set_password(std::optional<std::string> password) { password_ = std::move(password); }
  /// From then on nobody is let in; nullopt: never. Unix time, seconds.
  void expire_password(std::optional<i64> at) { expires_ = at; }
  /// VncInfo2 of query-vnc-servers, VncInfo of query-vnc.
  Json describe() const;
  Json describe_first() const;
  /// "vnc:127.0.0.1:5901" for messages.
  std::string where() const;

 private:
  struct Listener {
    FileDescriptor socket;
    bool websocket{};
    EventLoop::Watch watch{};
  };

  Server(Machine& machine, Options options, Tell tell);
  void resized(pixman_image_t* surface) override;
  void updated(const Rect& rect) override;
  void detached() override;

  void accept(const Listener& listener);
  Result<> serve(FileDescriptor client, bool websocket);
  Json passwords() const;
  void heard(Viewer& viewer, const Json& message);
  void let_in(Viewer& viewer, bool shared);
  void pointer(Viewer& viewer, const Json& event);
  void gone(Viewer& viewer);
  void sweep();
  void show();
  void flush();
  std::string_view auth() const { return options_.password ? "vnc" : "none"; }
  Json server_data() const;
  Json client_data(const Viewer& viewer) const;
  void tell(std::string_view event, const Viewer& viewer);

  Machine* machine_;
  Options options_;
  Tell tell_;
  std::optional<std::string> password_;
  std::optional<i64> expires_;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<Viewer>> viewers_;
  Console* console_{};
  SharedPicture picture_;
  Deferred sweep_, flush_;
};

}  // namespace rhea::ui::vnc
