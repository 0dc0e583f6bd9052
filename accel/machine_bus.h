// SPDX-License-Identifier: GPL-2.0-or-later
// Memory and ports of a machine as a software processor reaches them, whoever runs it.
#pragma once

#include "rhea/softmmu/machine.h"
#include "target/x86/bus.h"

namespace rhea::accel {

/// Without its guard for a moment: leave() lets go and says whether there was one, enter() takes it
/// again.
template <class Owner>
class OutsideOf {
 public:
  explicit OutsideOf(Owner& owner) : owner_(&owner), was_inside_(owner.leave()) {}
  ~OutsideOf() {
    if (was_inside_) owner_->enter();
  }
  OutsideOf(const OutsideOf&) = delete;
  OutsideOf& operator=(const OutsideOf&) = delete;

 private:
  Owner* owner_;
  bool was_inside_;
};

/// While it executes, the processor's thread holds an RcuGuard, so that the host pages it was given
/// stay. It lets go of the guard around every access to a device, whose lock somebody may hold who
/// waits for guards.
class MachineBus : public x86::Bus {
 public:
  explicit MachineBus(Machine& machine) : machine_(&machine) {}

  x86::HostPage page(u64 address) override;
  void wrote(u64 address, unsigned size) override;
  u64 read(u64 address, unsigned size) override;
  void write(u64 address, u64 value, unsigned size) override;
  u64 in(u16 port, unsigned size) override;
  void out(u16 port, u64 value, unsigned size) override;

 protected:
  /// Lets go of the guard; whether it was held. enter() takes it again: from then on what was seen
  /// of the map before may be gone.
  virtual bool leave() = 0;
  virtual void enter() = 0;
  friend class OutsideOf<MachineBus>;
  using Outside = OutsideOf<MachineBus>;

  /// The registers of the processor's own local APIC, which come before all else at their address.
  virtual bool is_apic_page(u64 address) const = 0;
  virtual u64 read_apic(unsigned offset, unsigned size) = 0;
  virtual void write_apic(unsigned offset, u64 value, unsigned size) = 0;

  /// Memory as the processor sees it now, and with what attributes.
  virtual AddressSpace& memory() { return machine_->memory(); }
  virtual MemAttrs attributes() const { return {}; }
  /// Whether stores to a page of RAM must be told (stored); `offset` is the page's in its block.
  virtual bool watches(const Region&, u64) { return false; }
  virtual void stored(const Region&, u64, unsigned) {}

  /// The range that shows all of the page as memory, or null. Under the guard.
  const FlatRange* range_of(u64 page);

 private:
  Machine* machine_;
};

}  // namespace rhea::accel
