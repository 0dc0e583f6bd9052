// SPDX-License-Identifier: GPL-2.0-or-later
// Devices and the buses they plug into.
#pragma once

#include "rhea/qom/irq.h"
#include "rhea/qom/object.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rhea {

class Bus;

enum class ResetKind : u8 {
  Cold,  ///< power-on, system_reset
  Warm,  ///< the bus or the guest reset only this part
};

/// A part of the machine. Life: create, set properties, attach to a bus, add to the tree, realize,
/// reset, run, unrealize. All of it on the main thread under the machine's lock.
/// Whatever realize() did ends when the device is unrealized, and when realize() fails half way:
/// members (rhea/qom/member.h), what it asked others for (who call on_unrealize()), its place on
/// lines, ports and BARs, the children that it added.
class Device : public Object {
 public:
  static constexpr std::string_view kName = "device";
  static constexpr bool kMustDescribe = true;  ///< each class that can be made
  using Extendable = Device;

  ~Device() override;

  bool is_realized() const override { return realized_; }
  /// Realizes the device (which may create and realize children). On error nothing is left behind.
  Result<> set_realized(bool on);
  /// Done when the device is unrealized, or its realize() fails; the last first, before the members
  /// end. For those who do something for a device from its realize() on.
  void on_unrealize(std::function<void()> undo) { undo_.push_back(std::move(undo)); }

  /// The `id=` the user gave, or empty.
  const std::string& id() const { return id_; }
  void set_id(std::string id) { id_ = std::move(id); }

  /// Everything that calls into the device comes with its domain held: handlers of its regions and
  /// input pins, reset, properties, state, timers, deferred calls, chardevs and drives. All but the
  /// handlers of regions come with the machine's lock as well. What is not: realize(), unrealize(),
  /// config_write() and its like, observers, and what a base declares with it.
  LockDomain* lock_domain() const final { return domain_; }

  Bus* parent_bus() const { return bus_; }
  /// Buses this device provides, in order of creation.
  std::vector<Bus*> buses() const;

  /// Input pin `index` of the group `group` ("" is the default group); an unconnected Irq when
  /// absent.
  Irq gpio_in(std::string_view group, unsigned index) const;
  /// All input pins, group by group.
  std::vector<Irq> gpio_inputs() const;
  /// Wires output pin `index` of `group` to `target`. An unknown pin is a programming error.
  void connect_gpio_out(std::string_view group, unsigned index, Irq target);
  /// Whether there is such an output pin.
  bool has_gpio_out(std::string_view group, unsigned index) const;
  /// Replaces the input pins' handlers (qtest's irq_intercept_in); returns how many pins there are.
  unsigned intercept_inputs(const std::function<void(unsigned index, bool level)>& observer);
  unsigned intercept_outputs(const std::function<void(unsigned index, bool level)>& observer);

  /// Three phases over a whole tree or bus: all enter, then all hold, then all exit.
  /// enter: forget state, touch nobody else; hold: set outputs; exit: start again.
  void reset_tree(ResetKind kind);

 protected:
  /// Checks the configuration, maps regions, wires pins. May fail: what it did by then is undone.
  virtual Result<> realize() { return {}; }
  /// Called first when a realized device is unrealized: for last words. Most need none.
  virtual void unrealize() {}
  /// After realize(), for bases: maps the banks of registers whose declarations say where.
  virtual Result<> map_registers() { return {}; }
  /// For bases: ends what they did for a device from its realize() on, be it complete or not.
  virtual void release() {}
  virtual void reset_enter(ResetKind) {}
  /// The usual place: sets every register to its reset value.
  virtual void reset(ResetKind) {}
  virtual void reset_exit(ResetKind) {}

  /// Declares `count` input pins handled by a member function `void f(unsigned pin, bool level)`.
  template <auto Method, class Self>
  void init_gpio_in(Self& self, std::string_view group, unsigned count) {
    static_assert(std::is_invocable_r_v<void, decltype(Method), Self&, unsigned, bool>,
                  "the handler of an input pin is `void f(unsigned pin, bool level)`");
    for (unsigned pin = 0; pin < count; ++pin) add_input(group, Irq::to<Method>(self, pin));
  }
  /// Declares an output pin; the device keeps the IrqOutput as a member. Call it before realize
  /// ends (usually in the constructor); pins of one group get consecutive indices.
  void init_gpio_out(std::string_view group, IrqOutput& output);

  /// Handlers run under `domain`, of LockDomain::Kind::Device, instead of the machine's lock; it
  /// outlives the device's regions. In the constructor, or in realize() before any region is made.
  /// See docs/threads.md.
  void set_lock_domain(LockDomain& domain) { domain_ = &domain; }

 private:
  friend class Bus;
  void add_input(std::string_view group, Irq irq);
  void each_below(const std::function<void(Device&)>& visitor);
  template <class Call>
  void if_realized(Call call);
  void unrealize_below();
  void undo_realize();

  std::string id_;
  Bus* bus_{};
  LockDomain* domain_{};
  bool realized_{};
  /// Lines lead through taps, so that a pin can still be watched when it is wired already.
  std::map<std::string, std::vector<std::unique_ptr<IrqTap>>, std::less<>> inputs_;
  std::map<std::string, std::vector<IrqOutput*>, std::less<>> outputs_;
  std::vector<std::unique_ptr<IrqTap>> taps_;
  std::vector<std::function<void()>> undo_;
  std::size_t own_children_{0};  ///< those before realize()
  /// Children of an earlier realize(): somebody may be inside one of their functions.
  std::vector<std::unique_ptr<Object>> former_children_;
};

/// A bus belongs to the device that provides it (as a child object named after the bus) and refers
/// to the devices on it, which it does not own.
class Bus : public Object {
 public:
  static constexpr std::string_view kName = "bus";
  using Extendable = Bus;

  ~Bus() override;

  /// What plugs in: "ISA", "PCI", "IDE", … equals the devices' TypeInfo::bus.
  virtual std::string_view kind() const = 0;
  /// Puts the device on this bus, finding it a slot; errors when the bus is full or the slot taken.
  Result<> attach(Device& device);
  void detach(Device& device);
  const std::vector<Device*>& devices() const { return devices_; }
  virtual bool is_full() const { return false; }
  /// Whether devices come and go while the guest runs.
  virtual bool hot_pluggable() const { return false; }
  /// Resets every device on the bus, in three phases.
  void reset(ResetKind kind);

 protected:
  /// Checks the address the device asks for, or picks one.
  virtual Result<> assign_slot(Device&) { return {}; }
  virtual void release_slot(Device&) {}

 private:
  std::vector<Device*> devices_;
};

}  // namespace rhea
