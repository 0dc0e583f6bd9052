// SPDX-License-Identifier: GPL-2.0-or-later
// The console device (OASIS Virtual I/O Device 1.2, 5.3), however it is reached: serial ports on a
// bus of its own.
#pragma once

#include "hw/virtio/virtio_core.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/deferred.h"

#include <array>
#include <vector>

namespace rhea::hw {

class VirtioSerial;
class VirtioSerialPort;

namespace virtio_serial {

// Feature bits.
inline constexpr unsigned kMultiport = 1, kEmergencyWrite = 2;
// Configuration.
inline constexpr std::size_t kMostPortsAt = 4, kEmergencyAt = 8, kShortConfig = 8,
                             kConfigBytes = 12;
inline constexpr u16 kControlIn = 2, kControlOut = 3;  ///< as the driver sees it
/// What is told of a port on the control queues.
enum class Event : u16 {
  DeviceReady,
  PortAdd,
  PortRemove,
  PortReady,
  ConsolePort,
  Resize,
  PortOpen,
  PortName
};
inline constexpr std::size_t kMessageBytes = 8;

inline constexpr std::array kFeatures{
    VirtioFeature{"emergency-write", kEmergencyWrite, true, "characters by the configuration; on"}};

constexpr u16 in_queue(u32 port) { return static_cast<u16>(port == 0 ? 0 : 2 + 2 * port); }
constexpr u16 out_queue(u32 port) { return static_cast<u16>(in_queue(port) + 1); }
constexpr u32 port_of(u16 queue) { return queue < 2 ? 0 : queue / 2U - 1; }

}  // namespace virtio_serial

/// Where ports plug in.
class VirtioSerialBus final : public Bus {
 public:
  static constexpr std::string_view kName = "virtio-serial-bus";
  static void describe(Schema<VirtioSerialBus>&) {}
  std::string_view kind() const override { return kName; }
  bool hot_pluggable() const override { return true; }
  VirtioSerial* serial{};
};

/// Takes what the driver sends for its ports, and tells it of them. What it has not been told for
/// want of a buffer is remembered, port by port.
class VirtioSerial : public VirtioFunction {
 public:
  template <class Self>
  static void declare(Schema<Self>& s);

  VirtioKind kind() const final;
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;
  void queue_reset(u16 number) final;
  void resumed() final;
  std::span<u8> config() final { return std::span(config_).first(config_bytes_); }
  void config_written(u64 offset, unsigned size) final;

  // For ports. Under the machine's lock.
  LockDomain* lock_domain() const { return owner_->lock_domain(); }
  /// Gives it a number, or the one that it wants, and makes it known.
  Result<> add(VirtioSerialPort& port);
  void remove(VirtioSerialPort& port);

  // For ports, in the domain.
  VirtioCore& core() const { return *core_; }
  bool multiport() const { return core_->accepts(virtio_serial::kMultiport); }
  /// The driver shall hear whether somebody is at the other end.
  void tell_open() { tell_driver(); }

 protected:
  VirtioSerial() = default;
  ~VirtioSerial() = default;

 private:
  // What is to be told of a port.
  static constexpr u8 kRemoved = 1, kAdded = 2, kConsole = 4, kNamed = 8;

  Result<u32> choose_number(const VirtioSerialPort& port) const;
  void fill_config();
  void tell_driver();
  bool tell_next(u32 port);
  bool send(u32 port, virtio_serial::Event event, u16 value, std::string_view text = {});
  void hear_driver();
  void hear(u32 port, virtio_serial::Event event, u16 value);
  void take_output(u16 number);
  VirtioSerialPort* first_console() const;

  u64 features_{usually_offered(virtio_serial::kFeatures)};  ///< that properties switch
  u32 most_ports_{}, class_{};

  VirtioCore* core_{};
  Device* owner_{};
  std::array<u8, virtio_serial::kConfigBytes> config_{};
  std::size_t config_bytes_{virtio_serial::kConfigBytes};
  std::vector<VirtioSerialPort*> ports_;  ///< by number
  bool ready_{false};                     ///< the driver wants to hear of ports
  std::vector<u8> to_tell_;               ///< by number
  VirtBuffer buffer_;
};

template <class Self>
void VirtioSerial::declare(Schema<Self>& s) {
  declare_features<Self>(s, virtio_serial::kFeatures, [](Self& self) -> u64& {
    return static_cast<VirtioSerial&>(self).features_;
  });
  s.property("max_ports", &VirtioSerial::most_ports_, u32{31})
      .help("ports that may be plugged in, number 0, for a console, among them");
  s.property("class", &VirtioSerial::class_, u32{0})
      .help("PCI class and subclass: 0x0780, 0x0380 or 0x00ff; all others: the first");
  s.state("ready", &VirtioSerial::ready_);
  s.state("to-tell", &VirtioSerial::to_tell_);
}

}  // namespace rhea::hw
