// SPDX-License-Identifier: GPL-2.0-or-later
// Reading descriptors from the GDT and the LDT, and writing their accessed and busy bits.
#include "target/x86/system/descriptor.h"

namespace rhea::x86::system {
namespace {

struct Table {
  u64 base{};
  u32 limit{};
  bool usable{true};
};

Table table_of(const Cpu& cpu, u16 selector) {
  if ((selector & 4) == 0) return {.base = cpu.gdtr.base, .limit = cpu.gdtr.limit, .usable = true};
  return {.base = cpu.ldtr.base,
          .limit = cpu.ldtr.limit,
          .usable = !cpu.ldtr.unusable && cpu.ldtr.present()};
}

u64 table_address(const Cpu& cpu, u64 address) {
  return cpu.lma() ? address : address & 0xffff'ffff;
}

}  // namespace

std::optional<Descriptor> find_descriptor(Cpu& cpu, u16 selector) {
  const Table table = table_of(cpu, selector);
  const u32 offset = selector & 0xfff8u;
  if (!table.usable || offset + 7 > table.limit) return std::nullopt;
  Descriptor descriptor;
  descriptor.address = table_address(cpu, table.base + offset);
  descriptor.low = cpu.read_system<u64>(descriptor.address);
  return descriptor;
}

Descriptor fetch_descriptor(Cpu& cpu, u16 selector, Vector vector, u32 external) {
  const auto found = find_descriptor(cpu, selector);
  if (!found) raise(vector, selector_error(selector, external));
  return *found;
}

void fetch_upper_half(Cpu& cpu, u16 selector, Descriptor& descriptor, Vector vector, u32 external) {
  const Table table = table_of(cpu, selector);
  if ((selector & 0xfff8u) + 15 > table.limit) raise(vector, selector_error(selector, external));
  descriptor.high = cpu.read_system<u64>(table_address(cpu, descriptor.address + 8));
  if ((descriptor.high >> 40 & 0x1f) != 0) raise(vector, selector_error(selector, external));
  descriptor.high &= 0xffff'ffff;
}

void mark_accessed(Cpu& cpu, Descriptor& descriptor) {
  if ((descriptor.type() & 1) != 0) return;
  descriptor.low |= u64{1} << 40;
  cpu.write_system<u8>(table_address(cpu, descriptor.address + 5),
                       static_cast<u8>(descriptor.low >> 40));
}

void set_busy(Cpu& cpu, u64 descriptor_address, bool busy) {
  const u64 at = table_address(cpu, descriptor_address + 5);
  const u8 old = cpu.read_system<u8>(at);
  cpu.write_system<u8>(at, static_cast<u8>(busy ? old | kBusy : old & ~kBusy));
}

SegmentRegister segment_from(u16 selector, const Descriptor& descriptor) {
  SegmentRegister made;
  made.selector = selector;
  made.attributes = descriptor.attributes();
  made.limit = descriptor.limit();
  made.base = descriptor.base();
  made.refresh();
  return made;
}

}  // namespace rhea::x86::system
