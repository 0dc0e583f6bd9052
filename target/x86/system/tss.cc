// SPDX-License-Identifier: GPL-2.0-or-later
// Reading the current task state segment.
#include "target/x86/system/tss.h"

#include "target/x86/system/descriptor.h"

namespace rhea::x86::system {
namespace {

constexpr u32 kIoMapBase = 0x66;  // in a 32- or 64-bit TSS

bool is_32bit(const SegmentRegister& tr) { return (tr.type() & 8) != 0; }

template <class T>
T field(Cpu& cpu, u32 offset) {
  const u64 at = cpu.tr.base + offset;
  return cpu.read_system<T>(cpu.lma() ? at : at & 0xffff'ffff);
}

void require(const Cpu& cpu, u32 last, u32 external) {
  if (cpu.tr.unusable || last > cpu.tr.limit)
    raise(Vector::Ts, selector_error(cpu.tr.selector, external));
}

u64 stack_pointer(Cpu& cpu, u32 offset, u32 external) {
  require(cpu, offset + 7, external);
  return field<u64>(cpu, offset);
}

}  // namespace

InnerStack inner_stack(Cpu& cpu, unsigned level, u32 external) {
  if (is_32bit(cpu.tr)) {
    const u32 at = 4 + 8 * level;
    require(cpu, at + 5, external);
    return {.ss = field<u16>(cpu, at + 4), .sp = field<u32>(cpu, at)};
  }
  const u32 at = 2 + 4 * level;
  require(cpu, at + 3, external);
  return {.ss = field<u16>(cpu, at + 2), .sp = field<u16>(cpu, at)};
}

u64 inner_rsp(Cpu& cpu, unsigned level, u32 external) {
  return stack_pointer(cpu, 4 + 8 * level, external);
}

u64 interrupt_stack(Cpu& cpu, unsigned number, u32 external) {
  return stack_pointer(cpu, 0x24 + 8 * (number - 1), external);
}

bool io_permitted(Cpu& cpu, u16 port, unsigned size) {
  const SegmentRegister& tr = cpu.tr;
  if (tr.unusable || !is_32bit(tr) || tr.limit < kIoMapBase + 1) return false;
  // Two bytes are read, whatever the size: the map ends with a byte of ones.
  const u32 at = field<u16>(cpu, kIoMapBase) + port / 8u;
  if (at + 1 > tr.limit) return false;
  const unsigned wanted = ((1u << size) - 1) << (port & 7);
  return (field<u16>(cpu, at) & wanted) == 0;
}

bool redirects_to_8086(Cpu& cpu, u8 vector) {
  const SegmentRegister& tr = cpu.tr;
  if (tr.unusable || !is_32bit(tr) || tr.limit < kIoMapBase + 1) raise(Vector::Gp, 0);
  const u32 map = field<u16>(cpu, kIoMapBase);
  const u32 at = map - 32 + vector / 8u;
  if (map < 32 || at > tr.limit) raise(Vector::Gp, 0);
  return (field<u8>(cpu, at) >> (vector & 7) & 1) == 0;
}

}  // namespace rhea::x86::system
