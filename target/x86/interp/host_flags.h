// SPDX-License-Identifier: GPL-2.0-or-later
// Flags that instructions leave undefined, as the host's processor gives them: translated code has
// no others. While somebody compares the two, the interpreter takes the host's as well; otherwise
// it has its own, the same on all hosts.
#pragma once

#include "target/x86/comparing.h"
#include "target/x86/interp/operand.h"
#include "target/x86/isa/row.h"
#include "target/x86/translate/host_cpu.h"

namespace rhea::x86::interp {

// Around a host instruction: flags from and to `flags`, below the red zone. Operands are registers.
#define RHEA_WITH_FLAGS(code)                                \
  "lea -128(%%rsp), %%rsp\n\tpush %[flags]\n\tpopf\n\t" code \
  "\n\tpushf\n\tpop %[flags]\n\tlea "                        \
  "128(%%rsp), %%rsp"
/// `name::run(flags, a, b)`: a host instruction on two registers, the first of which it writes.
#define RHEA_HOST_TWO(name, code)                                                                 \
  struct name {                                                                                   \
    template <class T>                                                                            \
    static void run(u64& flags, T a, T b) {                                                       \
      asm volatile(RHEA_WITH_FLAGS(code) : [flags] "+r"(flags), [a] "+q"(a) : [b] "q"(b) : "cc"); \
    }                                                                                             \
  };
/// `name::run(flags, a, count)`: with a count in CL.
#define RHEA_HOST_SHIFT(name, code)                                                               \
  struct name {                                                                                   \
    template <class T>                                                                            \
    static void run(u64& flags, T a, unsigned count) {                                            \
      asm volatile(RHEA_WITH_FLAGS(code) : [flags] "+r"(flags), [a] "+q"(a) : "c"(count) : "cc"); \
    }                                                                                             \
  };
/// Likewise, with a second register that comes in.
#define RHEA_HOST_DOUBLE(name, code)                        \
  struct name {                                             \
    template <class T>                                      \
    static void run(u64& flags, T a, T b, unsigned count) { \
      asm volatile(RHEA_WITH_FLAGS(code)                    \
                   : [flags] "+r"(flags), [a] "+q"(a)       \
                   : [b] "q"(b), "c"(count)                 \
                   : "cc");                                 \
    }                                                       \
  };
/// Of the accumulator.
#define RHEA_HOST_MULTIPLY(name, code)                          \
  struct name {                                                 \
    template <class T>                                          \
    static void run(u64& flags, T a, T b) {                     \
      u64 low = a, high = 0;                                    \
      asm volatile(RHEA_WITH_FLAGS(code)                        \
                   : [flags] "+r"(flags), "+a"(low), "+d"(high) \
                   : [b] "q"(b)                                 \
                   : "cc");                                     \
    }                                                           \
  };

namespace host_flags {
RHEA_HOST_SHIFT(Shl, "shl %%cl, %[a]")
RHEA_HOST_SHIFT(Shr, "shr %%cl, %[a]")
RHEA_HOST_SHIFT(Sar, "sar %%cl, %[a]")
RHEA_HOST_SHIFT(Rol, "rol %%cl, %[a]")
RHEA_HOST_SHIFT(Ror, "ror %%cl, %[a]")
RHEA_HOST_SHIFT(Rcl, "rcl %%cl, %[a]")
RHEA_HOST_SHIFT(Rcr, "rcr %%cl, %[a]")
RHEA_HOST_DOUBLE(Shld, "shld %%cl, %[b], %[a]")
RHEA_HOST_DOUBLE(Shrd, "shrd %%cl, %[b], %[a]")
RHEA_HOST_MULTIPLY(Mul, "mul %[b]")
RHEA_HOST_MULTIPLY(ImulAccumulator, "imul %[b]")
RHEA_HOST_TWO(Imul, "imul %[b], %[a]")
RHEA_HOST_TWO(Bt, "bt %[b], %[a]")
RHEA_HOST_TWO(Bsf, "bsf %[b], %[a]")
RHEA_HOST_TWO(Bsr, "bsr %[b], %[a]")
RHEA_HOST_TWO(Tzcnt, "tzcnt %[b], %[a]")
RHEA_HOST_TWO(Lzcnt, "lzcnt %[b], %[a]")
RHEA_HOST_TWO(Blsr, "blsr %[b], %[a]")
RHEA_HOST_TWO(Blsmsk, "blsmsk %[b], %[a]")
RHEA_HOST_TWO(Blsi, "blsi %[b], %[a]")
RHEA_HOST_TWO(Andn, "andn %[b], %[a], %[a]")
RHEA_HOST_TWO(Bextr, "bextr %[b], %[a], %[a]")
RHEA_HOST_TWO(Bzhi, "bzhi %[b], %[a], %[a]")
}  // namespace host_flags

#undef RHEA_WITH_FLAGS
#undef RHEA_HOST_TWO
#undef RHEA_HOST_SHIFT
#undef RHEA_HOST_DOUBLE
#undef RHEA_HOST_MULTIPLY

/// The flags of `mask` become those that the host's instruction leaves, begun with `before`.
template <class Host, class... Operands>
void settle_flags(Cpu& cpu, u32 before, u32 mask, Operands... operands) {
  u64 flags = before | u64{eflags::kFixed} | eflags::kIf;  // POPF in user mode leaves IF alone
  Host::run(flags, operands...);
  cpu.flags.change(mask, flags);
}
inline u32 undefined_flags(const Insn& insn) { return isa::rows()[insn.row].flags.undefined; }
/// Of a shift or rotation by more than nothing.
inline u32 undefined_flags(const Insn& insn, unsigned count, unsigned bits) {
  return undefined_flags(insn) | (count > 1 ? u32{eflags::kOf} : 0) |
         (count >= bits ? u32{eflags::kCf} : 0);
}

}  // namespace rhea::x86::interp
