// SPDX-License-Identifier: GPL-2.0-or-later
// Input devices (OASIS Virtual I/O Device 1.2, 5.8), however they are reached: a keyboard, a
// mouse, a tablet.
#pragma once

#include "hw/virtio/virtio_core.h"
#include "rhea/ui/input.h"

#include <array>
#include <string>
#include <vector>

namespace rhea::hw {

namespace virtio_input {

// What the driver selects to look at, and where that stands (5.8.4).
inline constexpr u8 kIdName = 1, kIdSerial = 2, kIdDevices = 3, kEventBits = 0x11,
                    kAxisRange = 0x12;
inline constexpr std::size_t kSelectAt = 0, kSubselectAt = 1, kSizeAt = 2, kDataAt = 8,
                             kDataBytes = 128, kConfigBytes = kDataAt + kDataBytes;
// Linux's events.
inline constexpr u16 kSyn = 0, kKey = 1, kRel = 2, kAbs = 3, kLed = 0x11, kRepeat = 0x14;
inline constexpr u16 kAxisX = 0, kAxisY = 1, kRelWheel = 8;
inline constexpr u16 kLeftButton = 0x110, kGearDown = 0x150, kGearUp = 0x151;
inline constexpr std::size_t kEventBytes = 8;

/// Linux's number of a key; 0: it has none.
u16 linux_key(KeyNumber key);

}  // namespace virtio_input

struct VirtioInputEvent {
  u16 type{}, code{};
  u32 value{};
  static void describe(StateFields<VirtioInputEvent>& s);
};

/// While its driver works, it takes what the PS/2 device took before. What the driver has no
/// buffers for waits, 256 events at most; further ones are lost.
class VirtioInput : public VirtioFunction {
 public:
  template <class Self>
  static void declare(Schema<Self>& s) {
    s.property("serial", &VirtioInput::serial_, "").help("what the driver shows as its number");
    s.state("select", &VirtioInput::select_);
    s.state("subselect", &VirtioInput::subselect_);
    s.state("waiting", &VirtioInput::waiting_).range(0, kMostWaiting);
  }

  VirtioKind kind() const final { return *kind_; }
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;
  void resumed() final;
  Result<> loaded() final;
  std::span<u8> config() final { return config_; }
  void config_written(u64 offset, unsigned size) final;

 protected:
  using Bits = std::vector<u16>;
  VirtioInput(const VirtioKind& kind, std::string_view name, u16 product)
      : kind_(&kind), name_(name), product_(product) {}
  ~VirtioInput() = default;
  /// The codes of a type of events that there are.
  virtual Bits codes(u16 type) const = 0;
  virtual InputPort::Taker taker() = 0;
  /// Under the machine's lock: what happened at once, to the driver.
  void tell(std::vector<VirtioInputEvent> events);

 private:
  static constexpr std::size_t kMostWaiting = 256;

  void fill_config();
  std::vector<u8> selected() const;
  bool wants() const;
  void send_waiting();
  void read_status();

  const VirtioKind* kind_;
  std::string_view name_;
  u16 product_;
  std::string serial_;
  Device* owner_{};
  VirtioCore* core_{};
  std::array<u8, virtio_input::kConfigBytes> config_{};
  u8 select_{0}, subselect_{0};
  std::vector<VirtioInputEvent> waiting_;
  InputPort input_;
  VirtBuffer buffer_;
};

class VirtioKeyboard : public VirtioInput {
 public:
  template <class Self>
  static void declare(Schema<Self>& s) {
    VirtioInput::declare(s);
  }

 protected:
  VirtioKeyboard();
  ~VirtioKeyboard() = default;
  Bits codes(u16 type) const override;
  InputPort::Taker taker() override;
};

/// What has buttons and a wheel, and moves or is put somewhere.
class VirtioPointer : public VirtioInput {
 public:
  template <class Self>
  static void declare(Schema<Self>& s) {
    VirtioInput::declare(s);
    s.property("wheel-axis", &VirtioPointer::wheel_axis_, true)
        .help("the wheel is an axis; off: it is two buttons");
    s.state("buttons", &VirtioPointer::buttons_).range(0, 0x1f).survives_reset();
  }

 protected:
  VirtioPointer(const VirtioKind& kind, std::string_view name, u16 product, u16 movement)
      : VirtioInput(kind, name, product), movement_(movement) {}
  ~VirtioPointer() = default;
  Bits codes(u16 type) const override;
  InputPort::Taker taker() override;

 private:
  void take(const PointerEvent& event);

  u16 movement_;  ///< kRel or kAbs
  bool wheel_axis_{};
  u8 buttons_{0};
};

class VirtioMouse : public VirtioPointer {
 public:
  template <class Self>
  static void declare(Schema<Self>& s) {
    VirtioPointer::declare(s);
  }

 protected:
  VirtioMouse();
  ~VirtioMouse() = default;
};

class VirtioTablet : public VirtioPointer {
 public:
  template <class Self>
  static void declare(Schema<Self>& s) {
    VirtioPointer::declare(s);
  }

 protected:
  VirtioTablet();
  ~VirtioTablet() = default;
};

}  // namespace rhea::hw
