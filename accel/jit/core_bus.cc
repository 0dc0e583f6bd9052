// SPDX-License-Identifier: GPL-2.0-or-later
// The software vCPU behind its bus.
#include "accel/jit/core_bus.h"

#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"

#include <thread>

namespace rhea::jit {
namespace {

constexpr u64 kOffset = kPageSize - 1;

}  // namespace

CoreBus::CoreBus(JitVcpu& vcpu) : MachineBus(vcpu.vm().machine()), vcpu_(&vcpu) {}

bool CoreBus::leave() { return vcpu_->leave(); }
void CoreBus::enter() { vcpu_->enter(); }

AddressSpace& CoreBus::memory() {
  return vcpu_->cpu().smm ? vcpu_->vm().management_memory() : MachineBus::memory();
}

MemAttrs CoreBus::attributes() const { return {.secure = vcpu_->cpu().smm}; }

CodePages& CoreBus::code_pages(const Region& region) {
  CodeMap& map = vcpu_->vm().code();
  if (const u64 changes = map.changes();
      region.ram().get() != last_ram_ || changes != last_changes_) {
    last_pages_ = &map.of(region.ram());
    last_ram_ = region.ram().get();
    last_changes_ = changes;
  }
  return *last_pages_;
}

bool CoreBus::watches(const Region& region, u64 offset) {
  return code_pages(region).at(offset).watched();
}

void CoreBus::stored(const Region& region, u64 offset, unsigned size) {
  const unsigned at = offset & kOffset;
  CodePage& page = code_pages(region).at(offset);
  if (!page.stored(at, at + size - 1)) return;
  vcpu_->cpu().leave_block = true;
  vcpu_->vm().code_changed(*vcpu_, page);
}

bool CoreBus::is_apic_page(u64 address) const { return vcpu_->is_apic_page(address); }
u64 CoreBus::read_apic(unsigned offset, unsigned size) { return vcpu_->read_apic(offset, size); }
void CoreBus::write_apic(unsigned offset, u64 value, unsigned size) {
  vcpu_->write_apic(offset, value, size);
}

u64 CoreBus::tsc() { return vcpu_->ticks(); }
void CoreBus::tsc_moved() { vcpu_->time_stamp_moved(); }
bool CoreBus::read_msr(u32 index, u64& value) { return vcpu_->read_msr(index, value); }
bool CoreBus::write_msr(u32 index, u64 value) { return vcpu_->write_msr(index, value); }
u8 CoreBus::task_priority() { return vcpu_->apic().cr8(); }
void CoreBus::set_task_priority(u8 priority) { vcpu_->apic().set_cr8(priority); }

u64 CoreBus::hypercall(u64 number, const std::array<u64, 4>& arguments) {
  return vcpu_->hypercall(number, arguments);
}

// A processor that is alone pauses for time to pass: without its host CPU it would be late.
void CoreBus::relax() {
  if (vcpu_->vm().vcpus().size() > 1) std::this_thread::yield();
}

void CoreBus::exclusively(void (*action)(void*), void* argument) {
  const JitVcpu::Outside outside(*vcpu_);
  vcpu_->vm().exclusively(*vcpu_, action, argument);
}

CoreBus::CodeAt CoreBus::code_at(u64 address) {
  const u64 page = address & ~kOffset;
  if (vcpu_->is_apic_page(page)) return {};
  const FlatRange* range = range_of(page);
  if (range == nullptr) return {};
  return {.host = range->host(page),
          .pages = &code_pages(*range->region),
          .offset = range->offset + (page - range->first)};
}

}  // namespace rhea::jit
