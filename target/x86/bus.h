// SPDX-License-Identifier: GPL-2.0-or-later
// What a software processor is wired to: physical memory, ports, time, its local APIC. Implemented
// by who runs it (accel/jit for whole guests, accel/kvm for the one instruction that KVM could not
// do).
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86 {

/// A page of physical memory as the processor may use it until the map changes.
struct HostPage {
  u8* read{};   ///< start of the page on the host; null: not memory, go through Bus::read
  u8* write{};  ///< null: go through Bus::write (ROM, devices)
  /// Stores must be followed by Bus::wrote (pages that hold decoded code or whose writes somebody
  /// logs).
  bool watched{};
};

/// All addresses are physical, after A20. Called on the processor's own thread only.
class Bus {
 public:
  virtual ~Bus() = default;

  virtual HostPage page(u64 address) = 0;
  /// After a store of `size` bytes to a watched page, which it does not cross.
  virtual void wrote(u64 address, unsigned size) = 0;
  /// One access of 1, 2, 4 or 8 bytes that does not cross a page: devices, ROM, memory. Whatever
  /// is reached by write() needs no wrote().
  virtual u64 read(u64 address, unsigned size) = 0;
  virtual void write(u64 address, u64 value, unsigned size) = 0;
  /// Port space; 1, 2 or 4 bytes.
  virtual u64 in(u16 port, unsigned size) = 0;
  virtual void out(u16 port, u64 value, unsigned size) = 0;

  /// The time stamp counter as this processor would read it with IA32_TSC_ADJUST 0 and no writes.
  virtual u64 tsc() = 0;
  /// What is added to it for IA32_TSC has changed.
  virtual void tsc_moved() {}
  /// IA32_APIC_BASE, the x2APIC range and whatever else lies outside the core; false: #GP.
  virtual bool read_msr(u32 index, u64& value) = 0;
  virtual bool write_msr(u32 index, u64 value) = 0;
  /// CR8, the task priority's upper four bits.
  virtual u8 task_priority() = 0;
  virtual void set_task_priority(u8 priority) = 0;
  /// VMCALL or VMMCALL at CPL 0, where the model has KVM's: RAX, and the arguments RBX, RCX, RDX,
  /// RSI. What RAX becomes.
  virtual u64 hypercall(u64 number, const std::array<u64, 4>& arguments);
  /// The guest has been waiting for another processor for a while, whose thread may be waiting for
  /// this one's host CPU.
  virtual void relax() {}
  /// FERR#, the legacy way of telling of x87 errors (IRQ 13).
  virtual void fpu_error() {}

  /// Runs `action` while no other processor executes: locked accesses that cross a page.
  virtual void exclusively(void (*action)(void*), void* argument) { action(argument); }
};

}  // namespace rhea::x86
