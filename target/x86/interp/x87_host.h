// SPDX-License-Identifier: GPL-2.0-or-later
// The host's FPU on single 80-bit numbers. Between two of these its register stack is empty and
// its control word the ABI's.
#pragma once

#include "target/x86/interp/x87.h"

namespace rhea::x86::interp::host {

/// While it lives, the guest's control word is loaded (its exceptions must be masked), and the
/// host's sticky flags say nothing that the guest's do not say.
class Control {
 public:
  explicit Control(const X87& x87) : changed_(x87.fcw != kFcwReset) {
    u16 status;
    asm volatile("fnstsw %0" : "=a"(status));
    if ((status & kFswExceptions & ~x87.fsw) != 0) asm volatile("fnclex");
    if (changed_) asm volatile("fldcw %0" : : "m"(x87.fcw));
  }
  ~Control() {
    constexpr u16 kAbi = kFcwReset;
    if (changed_) asm volatile("fldcw %0" : : "m"(kAbi));
  }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

 private:
  bool changed_;
};

/// x becomes x op y; numbered as in ModRM.reg of D8. Returns the status word.
template <unsigned kOperation>
u16 arithmetic(X87Register& x, const X87Register& y) {
  u16 status;
// As bytes, for assemblers disagree on FSUBP's and FDIVP's names.
#define RHEA_X87_ARITHMETIC(code)                                                    \
  asm volatile("fldt %1\n\tfldt %2\n\t.byte 0xde, " code "\n\tfnstsw %0\n\tfstpt %1" \
               : "=a"(status), "+m"(x)                                               \
               : "m"(y))
  if constexpr (kOperation == 0)
    RHEA_X87_ARITHMETIC("0xc1");
  else if constexpr (kOperation == 1)
    RHEA_X87_ARITHMETIC("0xc9");
  else if constexpr (kOperation == 4)
    RHEA_X87_ARITHMETIC("0xe9");
  else if constexpr (kOperation == 5)
    RHEA_X87_ARITHMETIC("0xe1");
  else if constexpr (kOperation == 6)
    RHEA_X87_ARITHMETIC("0xf9");
  else
    RHEA_X87_ARITHMETIC("0xf1");
#undef RHEA_X87_ARITHMETIC
  return status;
}

/// A number's format in memory.
enum class Format : u8 { Float, Double, Short, Long, Quad };

/// x becomes x op the number in memory.
template <unsigned kOperation, Format kFormat, class T>
u16 arithmetic_memory(X87Register& x, const T& y) {
  u16 status;
#define RHEA_X87_ON_MEMORY(name) \
  asm volatile("fldt %1\n\t" name " %2\n\tfnstsw %0\n\tfstpt %1" : "=a"(status), "+m"(x) : "m"(y))
#define RHEA_X87_OPERATIONS(prefix, suffix)   \
  if constexpr (kOperation == 0)              \
    RHEA_X87_ON_MEMORY(prefix "add" suffix);  \
  else if constexpr (kOperation == 1)         \
    RHEA_X87_ON_MEMORY(prefix "mul" suffix);  \
  else if constexpr (kOperation == 4)         \
    RHEA_X87_ON_MEMORY(prefix "sub" suffix);  \
  else if constexpr (kOperation == 5)         \
    RHEA_X87_ON_MEMORY(prefix "subr" suffix); \
  else if constexpr (kOperation == 6)         \
    RHEA_X87_ON_MEMORY(prefix "div" suffix);  \
  else                                        \
    RHEA_X87_ON_MEMORY(prefix "divr" suffix)
  if constexpr (kFormat == Format::Float) {
    RHEA_X87_OPERATIONS("f", "s");
  } else if constexpr (kFormat == Format::Double) {
    RHEA_X87_OPERATIONS("f", "l");
  } else if constexpr (kFormat == Format::Short) {
    RHEA_X87_OPERATIONS("fi", "s");
  } else {
    RHEA_X87_OPERATIONS("fi", "l");
  }
#undef RHEA_X87_OPERATIONS
#undef RHEA_X87_ON_MEMORY
  return status;
}

/// FCOMP or FICOMP of x with the number in memory.
template <Format kFormat, class T>
u16 compare_memory(const X87Register& x, const T& y) {
  u16 status;
#define RHEA_X87_COMPARE(name) \
  asm volatile("fldt %1\n\t" name " %2\n\tfnstsw %0" : "=a"(status) : "m"(x), "m"(y))
  if constexpr (kFormat == Format::Float)
    RHEA_X87_COMPARE("fcomps");
  else if constexpr (kFormat == Format::Double)
    RHEA_X87_COMPARE("fcompl");
  else if constexpr (kFormat == Format::Short)
    RHEA_X87_COMPARE("ficomps");
  else
    RHEA_X87_COMPARE("ficompl");
#undef RHEA_X87_COMPARE
  return status;
}

template <bool kUnordered>
u16 compare(const X87Register& x, const X87Register& y) {
  u16 status;
  if constexpr (kUnordered)
    asm volatile("fldt %2\n\tfldt %1\n\tfucompp\n\tfnstsw %0" : "=a"(status) : "m"(x), "m"(y));
  else
    asm volatile("fldt %2\n\tfldt %1\n\tfcompp\n\tfnstsw %0" : "=a"(status) : "m"(x), "m"(y));
  return status;
}

/// FCOMI clears C1 on Intel's processors and leaves it on AMD's.
inline bool fcomi_clears_c1() {
  static const bool clears = [] {
    u16 status;
    // FXAM of a negative number sets C1.
    asm volatile("fld1\n\tfchs\n\tfxam\n\tfcomip %%st(0), %%st\n\tfnstsw %0" : "=a"(status));
    return (status & fsw::kC1) == 0;
  }();
  return clears;
}

inline u16 square_root(X87Register& x) {
  u16 status;
  asm volatile("fldt %1\n\tfsqrt\n\tfnstsw %0\n\tfstpt %1" : "=a"(status), "+m"(x));
  return status;
}

inline u16 load_float(u32 bits, X87Register& to) {
  u16 status;
  asm volatile("flds %2\n\tfnstsw %0\n\tfstpt %1" : "=a"(status), "=m"(to) : "m"(bits));
  return status;
}
inline u16 load_double(u64 bits, X87Register& to) {
  u16 status;
  asm volatile("fldl %2\n\tfnstsw %0\n\tfstpt %1" : "=a"(status), "=m"(to) : "m"(bits));
  return status;
}
inline void load_integer(i64 value, X87Register& to) {
  asm volatile("fildll %1\n\tfstpt %0" : "=m"(to) : "m"(value));
}

enum class Rounding : u8 { Control, Truncate };

/// FST, FIST or FISTTP of `from`.
template <Format kFormat, Rounding kRounding, class T>
u16 store(const X87Register& from, T& to) {
  u16 status;
#define RHEA_X87_STORE(name) \
  asm volatile("fldt %2\n\t" name " %1\n\tfnstsw %0" : "=a"(status), "=m"(to) : "m"(from))
  constexpr bool kTruncate = kRounding == Rounding::Truncate;
  if constexpr (kFormat == Format::Float)
    RHEA_X87_STORE("fstps");
  else if constexpr (kFormat == Format::Double)
    RHEA_X87_STORE("fstpl");
  else if constexpr (kFormat == Format::Short && kTruncate)
    RHEA_X87_STORE("fisttps");
  else if constexpr (kFormat == Format::Short)
    RHEA_X87_STORE("fistps");
  else if constexpr (kFormat == Format::Long && kTruncate)
    RHEA_X87_STORE("fisttpl");
  else if constexpr (kFormat == Format::Long)
    RHEA_X87_STORE("fistpl");
  else if constexpr (kTruncate)
    RHEA_X87_STORE("fisttpll");
  else
    RHEA_X87_STORE("fistpll");
#undef RHEA_X87_STORE
  return status;
}

}  // namespace rhea::x86::interp::host
