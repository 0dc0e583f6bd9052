// SPDX-License-Identifier: GPL-2.0-or-later
// RDRAND and RDSEED, from the host's entropy or made of a seed.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

#include <sys/random.h>

namespace rhea::x86::system {
namespace {

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
constexpr u64 kStep = 0x9e37'79b9'7f4a'7c15;
u64 mix(u64 value) {
  value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31;
}

/// Each processor has a sequence of its own.
u64 made_of(u64 seed, Cpu& cpu) {
  return mix(mix(seed + kStep * (cpu.model->apic_id + u64{1})) + kStep * ++cpu.random_numbers);
}

}  // namespace

/// CF says whether there was a number; without one the register is zero.
void rdrand(Cpu& cpu, const Insn& insn) {
  u64 value = 0;
  const auto seed = cpu.model->random_seed;
  if (seed) value = made_of(*seed, cpu);
  const bool done = seed || getrandom(&value, sizeof value, GRND_NONBLOCK) == sizeof value;
  set_reg_sized(cpu, insn.op[0].reg, done ? value : 0, insn.operand_size);
  cpu.flags.set_value(done ? eflags::kCf : 0);
}

}  // namespace rhea::x86::system
