// SPDX-License-Identifier: GPL-2.0-or-later
// One VNC client, served by libvncserver.
#pragma once

#include "ui/vnc/client/picture.h"
#include "ui/vnc/messages.h"

#include <rfb/rfb.h>

#include <memory>
#include <string>
#include <vector>

namespace rhea::ui::vnc {

class Session {
 public:
  /// `first` is the message that configures it.
  static Result<std::unique_ptr<Session>> create(const Message& first);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Until the client or Rhea goes. An error is one that no client causes.
  Result<> run();

  // Called by libvncserver's hooks.
  void tell(const Json& event);
  void tell_pointer(int x, int y, int buttons);
  void wants_scan_codes();
  void wants_pointer_kind();

 private:
  Session() = default;
  Result<> greet();
  /// False: the client is gone.
  bool hear_client();
  Result<> hear_rhea(const Message& message);
  Result<> resize(const Message& message);
  void look_at_shared_flag();
  void announce(int encoding, int x);

  rfbScreenInfoPtr screen_{};
  rfbClientPtr client_{};
  Picture picture_;
  std::string name_;
  std::vector<std::string> passwords_;
  std::vector<char*> password_list_;
  bool shared_{true}, ready_{false}, absolute_{true}, knows_pointer_kind_{false}, lossy_{false};
};

/// QEMU's extensions of the protocol: keys by their scan codes, and whether the pointer is put
/// somewhere or moves.
void register_extensions();

inline Session& session_of(rfbClientPtr client) {
  return *static_cast<Session*>(client->screen->screenData);
}

}  // namespace rhea::ui::vnc
