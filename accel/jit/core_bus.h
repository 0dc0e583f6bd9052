// SPDX-License-Identifier: GPL-2.0-or-later
// What a software vCPU is wired to: the machine's address spaces, its clock, its local APIC.
#pragma once

#include "accel/jit/code_map.h"
#include "accel/machine_bus.h"

namespace rhea::jit {

class JitVcpu;

class CoreBus final : public accel::MachineBus {
 public:
  explicit CoreBus(JitVcpu& vcpu);

  u64 tsc() override;
  void tsc_moved() override;
  bool read_msr(u32 index, u64& value) override;
  bool write_msr(u32 index, u64 value) override;
  u8 task_priority() override;
  void set_task_priority(u8 priority) override;
  u64 hypercall(u64 number, const std::array<u64, 4>& arguments) override;
  void relax() override;
  void exclusively(void (*action)(void*), void* argument) override;

  /// The page of RAM that code at a physical address lies on.
  struct CodeAt {
    const u8* host{};  ///< start of the page; null: not memory
    CodePages* pages{};
    u64 offset{};  ///< of the page in its RAM block
  };
  CodeAt code_at(u64 address);

 private:
  bool leave() override;
  void enter() override;
  bool is_apic_page(u64 address) const override;
  u64 read_apic(unsigned offset, unsigned size) override;
  void write_apic(unsigned offset, u64 value, unsigned size) override;
  AddressSpace& memory() override;
  MemAttrs attributes() const override;
  /// Pages with decoded code.
  bool watches(const Region& region, u64 offset) override;
  void stored(const Region& region, u64 offset, unsigned size) override;
  CodePages& code_pages(const Region& region);

  JitVcpu* vcpu_;
  const RamBlock* last_ram_{};  ///< whose pages last_pages_ are
  u64 last_changes_{};          ///< as long as the code map has changed so often
  CodePages* last_pages_{};
};

}  // namespace rhea::jit
