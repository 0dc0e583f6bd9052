// SPDX-License-Identifier: GPL-2.0-or-later
// Exceptions of the guest's processor, on their way from the instruction that causes one to its
// delivery.
#pragma once

#include "rhea/util/types.h"

#include <expected>

namespace rhea::x86 {

enum class Vector : u8 {
  De = 0,
  Db = 1,
  Nmi = 2,
  Bp = 3,
  Of = 4,
  Br = 5,
  Ud = 6,
  Nm = 7,
  Df = 8,
  Ts = 10,
  Np = 11,
  Ss = 12,
  Gp = 13,
  Pf = 14,
  Mf = 16,
  Ac = 17,
  Mc = 18,
  Xm = 19,
};

/// Thrown by whatever notices, inside the processor only; the run loop catches and delivers it.
/// The instruction must not have changed anything yet.
struct Fault {
  Vector vector{};
  bool has_error{};
  u32 error{};
  u64 cr2{};  ///< #PF
  u64 dr6{};  ///< #DB: bits to set
};

/// What may be met so often that throwing it would cost too much: page faults.
template <class T>
using OrFault = std::expected<T, Fault>;
using Unexpected = std::unexpected<Fault>;
template <class T>
T value_or_throw(const OrFault<T>& made) {
  if (!made) [[unlikely]]
    throw made.error();
  return *made;
}

[[noreturn]] inline void raise(Vector vector) { throw Fault{.vector = vector}; }
[[noreturn]] inline void raise(Vector vector, u32 error) {
  throw Fault{.vector = vector, .has_error = true, .error = error};
}
constexpr Fault page_fault(u64 linear, u32 error) {
  return {.vector = Vector::Pf, .has_error = true, .error = error, .cr2 = linear};
}

}  // namespace rhea::x86
