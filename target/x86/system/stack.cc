// SPDX-License-Identifier: GPL-2.0-or-later
// Stacks of far transfers: checks and accesses.
#include "target/x86/system/stack.h"

#include "softmmu/host_access.h"

namespace rhea::x86::system {
namespace {

Privilege privilege_at(const Cpu& cpu, unsigned level) {
  if (level == cpu.cpl) return cpu.privilege;
  if (level == 3) return Privilege::User;
  const bool ac = cpu.eflag(eflags::kAc) && (cpu.cr4 & cr4::kSmap) != 0;
  return ac ? Privilege::SupervisorAc : Privilege::Supervisor;
}

}  // namespace

Stack::Stack(Cpu& cpu)
    : Stack(cpu, cpu.seg[Ss], cpu.gpr[Rsp] & Cpu::size_mask(cpu.stack_address_size()),
            cpu.stack_address_size(), cpu.cpl, 0) {}

Stack::Stack(Cpu& cpu, const SegmentRegister& ss, u64 sp, unsigned width, unsigned level, u32 error)
    : cpu_(cpu),
      ss_(ss),
      sp_(sp & Cpu::size_mask(width)),
      width_(width),
      as_(privilege_at(cpu, level)),
      error_(error) {}

u64 Stack::linear(u64 offset, unsigned size) const {
  if (width_ == 8) {
    if (!cpu_.canonical(offset) || !cpu_.canonical(offset + size - 1)) raise(Vector::Ss, error_);
    return offset;
  }
  const u64 last = offset + size - 1;
  const bool typed = cpu_.mode != Mode::Real && cpu_.mode != Mode::Virtual8086;
  if (typed && !ss_.writable) raise(Vector::Ss, error_);
  const u64 top = ss_.db() ? 0xffff'ffff : 0xffff;
  const bool outside = ss_.expand_down ? offset <= ss_.limit || last > top : last > ss_.limit;
  if (outside) raise(Vector::Ss, error_);
  return (ss_.base + offset) & 0xffff'ffff;
}

void Stack::push(u64 value, unsigned size) {
  const u64 to = (sp_ - size) & Cpu::size_mask(width_);
  const u64 at = linear(to, size);
  if (u8* host = cpu_.view_of(as_).find_write(at, size)) [[likely]]
    softmmu::store_host(host, value, size);
  else
    cpu_.write_slow(at, &value, size, Ss, as_);
  sp_ = to;
}

u64 Stack::pop(unsigned size) {
  u64 value = 0;
  const u64 at = linear(sp_, size);
  if (const u8* host = cpu_.view_of(as_).find_read(at, size)) [[likely]]
    value = softmmu::load_host(host, size);
  else
    cpu_.read_slow(at, &value, size, Ss, as_);
  skip(size);
  return value;
}

}  // namespace rhea::x86::system
