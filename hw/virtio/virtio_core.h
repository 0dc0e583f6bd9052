// SPDX-License-Identifier: GPL-2.0-or-later
// What all virtio devices are, whatever they do and however a driver reaches them: status,
// features, queues (OASIS Virtual I/O Device 1.2, 2 and 3).
#pragma once

#include "hw/virtio/features.h"
#include "hw/virtio/virtqueue.h"
#include "rhea/qom/device.h"

#include <atomic>
#include <functional>
#include <span>
#include <vector>

namespace rhea {
class IoThreadObject;
}  // namespace rhea

namespace rhea::hw {

class VirtioCore;

/// What a kind of device is called by those who look for it.
struct VirtioKind {
  u16 id{};               ///< 5 of the specification
  u16 transitional_id{};  ///< PCI device number of transitional devices; 0: there is none
  u32 pci_class{};
  std::string_view romfile{};  ///< its option ROM on PCI, unless the user names another
};

/// What a device does with its queues. Calls come in the device's lock domain.
class VirtioFunction {
 public:
  /// As properties have it; before start(), too.
  virtual VirtioKind kind() const = 0;
  /// From the device's realize(): checks properties, and makes queues by core.add_queue().
  virtual Result<> start(Device& owner, VirtioCore& core) = 0;
  /// The driver has notified queue `number`, or there was more than one turn's work. The device is
  /// live(). Takes buffers until the turn is over; of what is left then it says serve_again().
  virtual void serve(u16 number) = 0;
  virtual void reset() {}
  /// Of that queue alone: what was taken from it is nobody's any more.
  virtual void queue_reset(u16 /*number*/) {}
  /// The machine goes on: what was put off while it stood may be done.
  virtual void resumed() {}
  /// All state has been loaded, of the machine that stands.
  virtual Result<> loaded() { return {}; }
  /// Configuration, little-endian as the driver sees it; of a constant size from start() on.
  virtual std::span<u8> config() { return {}; }
  /// The driver has written there.
  virtual void config_written(u64 /*offset*/, unsigned /*size*/) {}

 protected:
  ~VirtioFunction() = default;
};

/// How a device reaches its driver.
class VirtioTransport {
 public:
  virtual const DmaMaster& virtio_memory() const = 0;
  /// Interrupts for `causes`; of a queue or the configuration, whose vector that is.
  virtual void interrupt(u8 causes, u16 vector) = 0;
  virtual void lower_interrupt() = 0;
  /// core.notify(number) soon, on whatever thread serves queues.
  virtual void notify_later(u16 number) = 0;

 protected:
  ~VirtioTransport() = default;
};

/// State: complete.
class VirtioCore final : public QueueHost {
 public:
  static constexpr u8 kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8,
                      kNeedsReset = 0x40, kFailed = 0x80;
  static constexpr u8 kQueueInterrupt = 1, kConfigInterrupt = 2;

  VirtioCore(VirtioTransport& transport, VirtioFunction& function)
      : transport_(&transport), function_(&function) {}

  // For the function.
  /// A queue more, of so many entries.
  void add_queue(u16 entries);
  void remove_queues() { queues_.clear(); }
  VirtQueue& queue(u16 number) { return queues_[number]; }
  /// Interrupts the driver if it wants to hear of what was pushed.
  void tell_driver(u16 number);
  /// serve(number) again, when others have had their turn.
  void serve_again(u16 number) { transport_->notify_later(number); }
  /// From start(): who serves the queues, instead of a thread of the device's own.
  void serve_on(IoThreadObject* thread) { io_thread_ = thread; }
  IoThreadObject* io_thread() const { return io_thread_; }
  /// The function's configuration has changed.
  void config_changed();
  bool accepts(unsigned feature) const { return (accepted_ & virtio::bit(feature)) != 0; }
  bool offers(unsigned feature) const { return (offered_ & virtio::bit(feature)) != 0; }
  /// Whether buffers may be used: the driver is ready, nothing is broken, the guest runs.
  bool live() const;

  // For the transport.
  VirtioKind kind() const { return function_->kind(); }
  u64& offered() { return offered_; }
  u64 accepted() const { return accepted_; }
  /// The features that new drivers see, and those that they take, 32 of them at a time: the lower
  /// half is number 0, the upper one 1, and there are no more.
  u32 offered_word(u32 number) const;
  u32 accepted_word(u32 number) const;
  void accept_word(u32 number, u32 value);
  /// Those of old drivers, which have no FEATURES_OK by which a device could refuse what it does
  /// not offer.
  u32 offered_to_old() const { return static_cast<u32>(offered_); }
  void accept_of_old(u32 features) { accept(features & offered_to_old()); }
  u8 status() const { return status_; }
  void write_status(u8 status);
  u16 queues() const { return static_cast<u16>(queues_.size()); }
  /// Null when there is none of that number.
  VirtQueue* find_queue(u32 number) { return number < queues() ? &queues_[number] : nullptr; }
  void notify(u32 number);
  void reset_queue(u16 number);
  /// What a driver asks for; refused, and logged, where it may not.
  void ask_queue_reset(u16 number);
  void resize_queue(u16 number, u16 entries);
  void place_queue(u16 number, VirtQueue::Area area, u64 address);
  /// The function's configuration; zeroes behind its end.
  u64 read_config(u64 offset, unsigned size) const;
  void write_config(u64 offset, u64 value, unsigned size);
  /// Queues whose notifications came when they could not be served.
  void serve_kicked();
  u8 generation() const { return generation_; }
  u16 config_vector() const { return config_vector_; }
  void set_config_vector(u16 vector) { config_vector_ = vector; }
  u8 interrupt_status() const { return interrupt_status_; }
  void add_interrupt_status(u8 causes) { interrupt_status_ |= causes; }
  u8 take_interrupt_status();
  /// The driver has seen these causes.
  void acknowledge(u8 causes);
  void reset();
  /// While the machine is stopped nothing is used.
  void hold(bool on);
  bool held() const { return held_; }
  Result<> loaded();

  const DmaMaster& memory() const override { return transport_->virtio_memory(); }
  void queue_broken(u16 number, std::string_view why) override;

  static void describe(StateFields<VirtioCore>& s);

 private:
  /// What a driver takes of the features, until it has said that this is all.
  void accept(u64 features);
  bool apply_rules();
  bool features_fit() const;
  void serve(u16 number);
  VirtQueue* changeable(u16 number);

  VirtioTransport* transport_;
  VirtioFunction* function_;
  IoThreadObject* io_thread_{};
  u64 offered_{usually_offered(kVirtioFeatures)};
  bool held_{false};

  u64 accepted_{0};
  u8 status_{0};
  bool failed_{false};  ///< a queue is broken
  u8 generation_{0};
  u8 interrupt_status_{0};
  u16 config_vector_{VirtQueue::kNoVector};
  std::vector<VirtQueue> queues_;
};

}  // namespace rhea::hw
