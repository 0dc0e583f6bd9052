// SPDX-License-Identifier: GPL-2.0-or-later
// Memory and ports as a software processor reaches them.
#include "accel/jit/core_bus.h"

#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"

namespace rhea::jit {
namespace {

constexpr u64 kOffset = kPageSize - 1;

bool logged(const RamBlock& ram) {
  return ram.logging(DirtyClient::Display) || ram.logging(DirtyClient::Migration);
}

}  // namespace

CoreBus::CoreBus(JitVcpu& vcpu) : vcpu_(&vcpu), machine_(&vcpu.vm().machine()) {}

AddressSpace& CoreBus::memory() const {
  return vcpu_->cpu().smm ? vcpu_->vm().management_memory() : machine_->memory();
}

MemAttrs CoreBus::attributes() const { return {.secure = vcpu_->cpu().smm}; }

const FlatRange* CoreBus::range_of(u64 page) const {
  const FlatRange* range = memory().view().find(page);
  if (range == nullptr || range->first > page || range->last < page + kOffset) return nullptr;
  return range->readable_memory() ? range : nullptr;
}

CodePages& CoreBus::code_pages(const Region& region) {
  if (region.ram().get() != last_ram_) {
    last_pages_ = &vcpu_->vm().code().of(region.ram());
    last_ram_ = region.ram().get();
  }
  return *last_pages_;
}

x86::HostPage CoreBus::page(u64 address) {
  if (vcpu_->is_apic_page(address)) return {};
  const FlatRange* range = range_of(address);
  if (range == nullptr) return {};
  u8* const host = range->host(address);
  if (!range->writable_memory()) return {.read = host};
  const Region& region = *range->region;
  const u64 offset = range->offset + (address - range->first);
  const bool watched = logged(*region.ram()) || code_pages(region).at(offset).watched();
  return {.read = host, .write = host, .watched = watched};
}

void CoreBus::wrote(u64 address, unsigned size) {
  const FlatRange* range = range_of(address & ~kOffset);
  if (range == nullptr) return;
  RamBlock& ram = *range->region->ram();
  const u64 offset = range->offset + (address - range->first);
  for (const DirtyClient client : {DirtyClient::Display, DirtyClient::Migration})
    if (ram.logging(client)) ram.mark_dirty_for(client, offset, size);
  const unsigned at = address & kOffset;
  if (code_pages(*range->region).at(offset).stored(at, at + size - 1))
    vcpu_->cpu().leave_block = true;
}

u64 CoreBus::read(u64 address, unsigned size) {
  if (vcpu_->is_apic_page(address))
    return vcpu_->read_apic(static_cast<unsigned>(address & kOffset), size);
  const JitVcpu::Outside outside(*vcpu_);
  return memory().load(address, size, attributes());
}

void CoreBus::write(u64 address, u64 value, unsigned size) {
  if (vcpu_->is_apic_page(address))
    return vcpu_->write_apic(static_cast<unsigned>(address & kOffset), value, size);
  const JitVcpu::Outside outside(*vcpu_);
  memory().store(address, value, size, attributes());
}

u64 CoreBus::in(u16 port, unsigned size) {
  const JitVcpu::Outside outside(*vcpu_);
  return machine_->io().load(port, size);
}

void CoreBus::out(u16 port, u64 value, unsigned size) {
  const JitVcpu::Outside outside(*vcpu_);
  machine_->io().store(port, value, size);
}

u64 CoreBus::tsc() { return vcpu_->time_stamp(); }
bool CoreBus::read_msr(u32 index, u64& value) { return vcpu_->read_msr(index, value); }
bool CoreBus::write_msr(u32 index, u64 value) { return vcpu_->write_msr(index, value); }
u8 CoreBus::task_priority() { return vcpu_->apic().cr8(); }
void CoreBus::set_task_priority(u8 priority) { vcpu_->apic().set_cr8(priority); }

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
