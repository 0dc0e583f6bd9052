// SPDX-License-Identifier: GPL-2.0-or-later
// Keys and pointer events on their way from displays and monitors to input devices.
#pragma once

#include "rhea/qom/member.h"
#include "rhea/softmmu/machine.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
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

/// Where an absolute pointer is, from 0 at the left and at the top to kFarthestPlace.
struct PointerPlace {
  static constexpr i64 kFarthest = 0x7fff;
  u16 x{}, y{};
};
struct PointerEvent {
  int dx{}, dy{},
      dz{};      ///< relative movement: right, down, and the wheel turned away from the user
  u8 buttons{};  ///< bit 0 left, 1 right, 2 middle, 3 side, 4 extra; the state after the event
  std::optional<PointerPlace> place{};  ///< in the place of dx and dy
};

class InputHub;

/// A device's end of keyboards and pointers, a member of it. Main loop, under the machine's lock.
class InputPort final : public ObjectMember {
 public:
  /// What it takes: keys, relative pointer, absolute one, each if there is a function for it.
  struct Taker {
    std::string_view name{};  ///< as `info mice` has it, static
    std::function<void(KeyNumber, bool down)> key{};
    std::function<void(const PointerEvent&)> move{};
    std::function<void(const PointerEvent&)> place{};
    std::function<bool()> wants{};  ///< asked at each event; always, if there is none
  };
  InputPort() = default;
  ~InputPort() override { close(); }
  /// From now on it is asked before all that were there.
  void open(Machine& machine, Taker taker);
  void close();

 protected:
  void end() override { close(); }

 private:
  friend class InputHub;
  enum Kind : unsigned { kKey = 1, kMove = 2, kPlace = 4, kPointer = kMove | kPlace };
  bool takes(unsigned kinds) const;

  InputHub* hub_{};
  Taker taker_;
  unsigned number_{0};
  u8 buttons_{0};  ///< as it knows them
};

/// Gives each event to the first port that wants it: the one opened last, or chosen by mouse_set.
/// Queues with bounded length; main loop, under the machine's lock.
class InputHub final : public MachineService {
 public:
  struct Pointer {
    std::string_view name;
    unsigned number{};  ///< ports count from 1, keyboards included
    bool absolute{};
    bool current{};  ///< buttons go there
  };

  explicit InputHub(Machine& machine);
  ~InputHub() override;
  void shutdown() override;

  /// A key that stays down comes again and again, as the host repeats it.
  void key(KeyNumber key, bool down);
  /// Movement goes to the first port that takes movement of this kind, buttons and wheel to the
  /// first that takes any.
  void pointer(const PointerEvent& event);
  /// The state that the last event left.
  u8 buttons() const { return buttons_; }
  PointerPlace place() const { return place_; }
  /// Presses all, holds them for `hold_ms`, releases in reverse order (sendkey, send-key). Further
  /// calls queue behind, up to 1024 keys; more are dropped.
  void send_keys(std::vector<KeyNumber> keys, int hold_ms = 100);

  /// Whether somebody takes such events now.
  bool has_keyboard() const { return first(InputPort::kKey) != nullptr; }
  bool has_pointer() const { return first(InputPort::kPointer) != nullptr; }
  bool has_relative_pointer() const { return first(InputPort::kMove) != nullptr; }
  bool has_absolute_pointer() const { return first(InputPort::kPlace) != nullptr; }
  /// All pointers, wanted or not, by their numbers.
  std::vector<Pointer> pointers() const;
  /// From now on this one is asked first.
  Result<> choose(u64 number);

 private:
  friend class InputPort;
  struct Impl;
  InputPort* first(unsigned kinds) const;

  std::unique_ptr<Impl> impl_;
  std::vector<InputPort*> ports_;  ///< in the order in which they are asked
  unsigned opened_{0};
  u8 buttons_{0};
  PointerPlace place_{};
};

}  // namespace rhea
