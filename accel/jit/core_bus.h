// SPDX-License-Identifier: GPL-2.0-or-later
// What a software processor is wired to: the machine's address spaces, its clock, its local APIC.
#pragma once

#include "accel/jit/code_map.h"
#include "rhea/softmmu/machine.h"
#include "target/x86/bus.h"

namespace rhea::jit {

class JitVcpu;

class CoreBus final : public x86::Bus {
 public:
  explicit CoreBus(JitVcpu& vcpu);

  x86::HostPage page(u64 address) override;
  void wrote(u64 address, unsigned size) override;
  u64 read(u64 address, unsigned size) override;
  void write(u64 address, u64 value, unsigned size) override;
  u64 in(u16 port, unsigned size) override;
  void out(u16 port, u64 value, unsigned size) override;
  u64 tsc() override;
  bool read_msr(u32 index, u64& value) override;
  bool write_msr(u32 index, u64 value) override;
  u8 task_priority() override;
  void set_task_priority(u8 priority) override;
  void exclusively(void (*action)(void*), void* argument) override;

  /// The page of RAM that code at a physical address lies on.
  struct CodeAt {
    const u8* host{};  ///< start of the page; null: not memory
    CodePages* pages{};
    u64 offset{};  ///< of the page in its RAM block
  };
  CodeAt code_at(u64 address);

 private:
  AddressSpace& memory() const;
  /// The range that shows all of the page, or null. Under the processor's RcuGuard.
  const FlatRange* range_of(u64 page) const;
  CodePages& code_pages(const Region& region);
  MemAttrs attributes() const;

  JitVcpu* vcpu_;
  Machine* machine_;
  const RamBlock* last_ram_{};  ///< whose pages last_pages_ are
  CodePages* last_pages_{};
};

}  // namespace rhea::jit
