// SPDX-License-Identifier: GPL-2.0-or-later
// Keys and pointer events on their way from displays and monitors to input devices.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhea {

/// A key is named by its PC scan code of set 1 in QEMU's "number" form: 0x01..0x7f, or 0x80 | code
/// for E0-prefixed keys (the Linux/XT numbers that libvirt's send-key uses).
using KeyNumber = u8;

struct KeyName {
  std::string_view name;  ///< QKeyCode: "a", "ret", "kp_enter", …
  KeyNumber number;
};
/// Every QKeyCode with its number, sorted by name.
const std::vector<KeyName>& key_names();
/// By QKeyCode name or "0x1e" number.
Result<KeyNumber> parse_key(std::string_view text);

struct PointerEvent {
  int dx{}, dy{},
      dz{};      ///< relative movement: right, down, and the wheel turned away from the user
  u8 buttons{};  ///< bit 0 left, 1 right, 2 middle; the state after the event
};

/// Queues with bounded length; main loop, under the machine's lock.
class InputHub final : public MachineService {
 public:
  explicit InputHub(Machine& machine);
  ~InputHub() override;
  void shutdown() override;

  void on_key(std::function<void(KeyNumber, bool down)> handler) {
    key_handler_ = std::move(handler);
  }
  void on_pointer(std::function<void(const PointerEvent&)> handler) {
    pointer_handler_ = std::move(handler);
  }
  /// Until it leaves, `taker` gets keys, or the pointer's events, in the place of those above and
  /// of whoever took them before.
  void take_keys(const void* taker, std::function<void(KeyNumber, bool down)> handler) {
    leave(taker);
    key_takers_.emplace_back(taker, std::move(handler));
  }
  void take_pointer(const void* taker, std::function<void(const PointerEvent&)> handler) {
    leave(taker);
    pointer_takers_.emplace_back(taker, std::move(handler));
  }
  void leave(const void* taker);
  /// A key that stays down comes again and again, as the host repeats it.
  void key(KeyNumber key, bool down);
  void pointer(const PointerEvent& event);
  /// Presses all, holds them for `hold_ms`, releases in reverse order (sendkey, send-key). Further
  /// calls queue behind, up to 1024 keys; more are dropped.
  void send_keys(std::vector<KeyNumber> keys, int hold_ms = 100);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::function<void(KeyNumber, bool)> key_handler_;
  std::function<void(const PointerEvent&)> pointer_handler_;
  std::vector<std::pair<const void*, std::function<void(KeyNumber, bool)>>> key_takers_;
  std::vector<std::pair<const void*, std::function<void(const PointerEvent&)>>> pointer_takers_;
};

}  // namespace rhea
