// SPDX-License-Identifier: GPL-2.0-or-later
// Which registers a debugger is told of, in which order, and what they are.
#pragma once

#include "accel/accelerator.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::gdbstub {

/// What the debugger takes the machine for. It asks once, when it connects.
enum class Layout : u8 { X86_64, I386, I8086 };

/// "x86-64", "i386", "i8086".
std::string_view layout_name(Layout layout);
std::optional<Layout> layout_of(std::string_view name);
/// The one that fits the mode the processor is in.
Layout layout_of(const x86::CpuState& state);
/// As the debugger names it: "i386:x86-64".
std::string_view architecture(Layout layout);

enum class RegisterKind : u8 {
  Gpr,  ///< by its number in instructions
  Pc,   ///< offset in the code segment
  Flags,
  Selector,  ///< by x86::Seg
  St,        ///< from the top of the stack
  X87,       ///< by X87Register
  Xmm,       ///< low 128 bits of a vector register
  Mxcsr,
  YmmHigh,  ///< bits 128 to 255
  ZmmHigh,  ///< bits 256 to 511
  Opmask,
  Pkru,
  SegmentBase,  ///< by x86::Seg
  KernelGsBase,
  Control,  ///< CRn
  Efer,
};

/// The debugger's names and order of the x87 unit's own registers.
enum class X87Control : u8 { Fctrl, Fstat, Ftag, Fiseg, Fioff, Foseg, Fooff, Fop };

struct Register {
  std::string name;
  RegisterKind kind{};
  unsigned index{};
  unsigned bits{};
  std::string_view type;   ///< the debugger's, or one of the feature's own
  std::string_view group;  ///< empty: what follows from the type
  unsigned bytes() const { return bits / 8; }
};

struct RegisterFeature {
  std::string_view name;
  std::vector<Register> registers;
};

/// The registers of every vCPU of a machine: numbers run through all features. With 32-bit layouts
/// the 64-bit registers are there as well: a debugger that has loaded a 64-bit program looks for
/// those, whatever architecture it is told.
std::vector<RegisterFeature> register_features(Layout layout, const accel::XsaveOffsets& vectors);

}  // namespace rhea::gdbstub
