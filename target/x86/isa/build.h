// SPDX-License-Identifier: GPL-2.0-or-later
// How the tables' rows are written: text in SDM letters, taken apart by the compiler.
//
//   row(0x80, "/0 add Eb,Ib", Lockable | kArith)      opcode extension in ModRM.reg
//   row(0x01, "/C1 vmcall")                           a whole ModRM byte
//   row(0x58, "66 addpd Vx,Wx", Feature::Sse2)        mandatory prefix; NP: none allowed
//   row(0x70, "jcc Jb")                               "cc": sixteen opcodes, letter Z: eight
//
// Where the text is wrong the build fails. NativeVector, MemoryOnly and RegisterOnly follow from
// the letters where those say so.
#pragma once

#include "target/x86/isa/row.h"
#include "target/x86/registers.h"

#include <concepts>

namespace rhea::x86::isa {

/// Attributes, flag use and feature of a row, joined by `|`.
struct Traits {
  u32 attributes{};
  FlagUse flags;
  Feature feature{Feature::Fpu};
  bool has_feature{};
  bool not_native{};

  constexpr Traits() = default;
  // Implicit: rows are written as lists of these.
  constexpr Traits(Attribute a) : attributes(a) {}
  constexpr Traits(FlagUse use) : flags(use) {}
  constexpr Traits(Feature f) : feature(f), has_feature(true) {}
};

constexpr Traits join(Traits a, const Traits& b) {
  a.attributes |= b.attributes;
  a.flags.reads |= b.flags.reads;
  a.flags.writes |= b.flags.writes;
  a.flags.undefined |= b.flags.undefined;
  if (b.has_feature) a.feature = b.feature;
  a.has_feature |= b.has_feature;
  a.not_native |= b.not_native;
  return a;
}

template <std::convertible_to<Traits> A, std::convertible_to<Traits> B>
constexpr Traits operator|(A a, B b) {
  return join(a, b);
}

// What the status flags are to the families of instructions (SDM vol. 1, appendix A).
inline constexpr u32 kCf = eflags::kCf, kPf = eflags::kPf, kAf = eflags::kAf, kZf = eflags::kZf,
                     kSf = eflags::kSf, kOf = eflags::kOf;
inline constexpr u32 kAllFlags = eflags::kStatus;
inline constexpr u32 kResultFlags = kSf | kZf | kPf;
inline constexpr FlagUse kArith{0, kAllFlags, 0};
inline constexpr FlagUse kArithCarry{kCf, kAllFlags, 0};
inline constexpr FlagUse kLogic{0, kAllFlags & ~kAf, kAf};
inline constexpr FlagUse kIncDec{0, kAllFlags & ~kCf, 0};
inline constexpr FlagUse kShift{kAllFlags, kAllFlags & ~kAf, kAf};
inline constexpr FlagUse kShiftBy1{0, kAllFlags & ~kAf, kAf};
inline constexpr FlagUse kRotate{kCf | kOf, kCf | kOf, 0};
inline constexpr FlagUse kRotateBy1{0, kCf | kOf, 0};
inline constexpr FlagUse kRotateCarryBy1{kCf, kCf | kOf, 0};
inline constexpr FlagUse kMultiply{0, kCf | kOf, kResultFlags | kAf};
inline constexpr FlagUse kDivide{0, 0, kAllFlags};
inline constexpr FlagUse kBitTest{0, kCf, kAllFlags & ~(kCf | kZf)};
inline constexpr FlagUse kConditions{kAllFlags & ~kAf, 0, 0};
inline constexpr FlagUse kReadsAll{kAllFlags, 0, 0};
inline constexpr FlagUse kWritesAll{0, kAllFlags, 0};
inline constexpr FlagUse kReadsCf{kCf, 0, 0};
inline constexpr FlagUse kWritesZf{0, kZf, 0};
inline constexpr FlagUse kCompare{0, kAllFlags, 0};  ///< COMISS, PTEST, FCOMI: OF, SF, AF cleared
/// A vector instruction that the host's own cannot stand for.
inline constexpr Traits kNotNative = [] {
  Traits traits;
  traits.not_native = true;
  return traits;
}();

namespace parse {

consteval int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  throw "an upper-case hexadecimal digit must stand here";
}

consteval Type type(std::string_view text) {
  constexpr std::array<std::string_view, 20> kNames{"",   "b",  "bs", "w",  "d",  "q", "t",
                                                    "dq", "qq", "v",  "z",  "y",  "n", "p",
                                                    "s",  "a",  "x",  "x2", "x4", "x8"};
  for (unsigned i = 0; i < kNames.size(); ++i)
    if (kNames[i] == text) return static_cast<Type>(i);
  throw "no such operand type";
}

/// Registers that a form names.
consteval bool named_register(std::string_view text, OperandSpec& spec) {
  struct Name {
    std::string_view text;
    OperandSpec spec;
  };
  constexpr std::array<Name, 17> kNames{{
      {"AL", {Method::Gpr, Type::B, Type::B, 0}},
      {"CL", {Method::Gpr, Type::B, Type::B, 1}},
      {"AX", {Method::Gpr, Type::W, Type::W, 0}},
      {"DX", {Method::Gpr, Type::W, Type::W, 2}},
      {"eAX", {Method::Gpr, Type::Z, Type::Z, 0}},
      {"rAX", {Method::Gpr, Type::V, Type::V, 0}},
      {"EAX", {Method::Gpr, Type::D, Type::D, 0}},
      {"ECX", {Method::Gpr, Type::D, Type::D, 1}},
      {"ES", {Method::Segment, Type::W, Type::W, 0}},
      {"CS", {Method::Segment, Type::W, Type::W, 1}},
      {"SS", {Method::Segment, Type::W, Type::W, 2}},
      {"DS", {Method::Segment, Type::W, Type::W, 3}},
      {"FS", {Method::Segment, Type::W, Type::W, 4}},
      {"GS", {Method::Segment, Type::W, Type::W, 5}},
      {"ST0", {Method::St0, Type::T, Type::T, 0}},
      {"STi", {Method::StI, Type::T, Type::T, 0}},
      {"1", {Method::One, Type::B, Type::B, 0}},
  }};
  for (const Name& name : kNames) {
    if (name.text != text) continue;
    spec = name.spec;
    return true;
  }
  return false;
}

consteval Method method(char letter) {
  constexpr std::string_view kLetters = "EGMRZIJOABCDSXYPQNVWUHL";
  const std::size_t at = kLetters.find(letter);
  if (at == kLetters.npos) throw "no such operand letter";
  return static_cast<Method>(at + 1);
}

consteval OperandSpec operand(std::string_view text) {
  OperandSpec spec;
  if (named_register(text, spec)) return spec;
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  spec.method = method(first[0]);
  spec.type = type(first.substr(1));
  spec.memory_type = spec.type;
  if (slash == text.npos) return spec;
  if (text[slash + 1] != 'M' || spec.method != Method::R) throw "only R has an alternative, M";
  spec.memory_type = type(text.substr(slash + 2));
  spec.method = Method::E;
  return spec;
}

consteval std::string_view word(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view first = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  return first;
}

/// Mandatory prefix, opcode extension or ModRM byte before the mnemonic.
consteval bool qualifier(std::string_view text, Row& row) {
  if (text == "NP")
    row.prefix = MandatoryPrefix::Np;
  else if (text == "66")
    row.prefix = MandatoryPrefix::P66;
  else if (text == "F3")
    row.prefix = MandatoryPrefix::PF3;
  else if (text == "F2")
    row.prefix = MandatoryPrefix::PF2;
  else if (text[0] == '/' && text.size() == 2)
    row.extension = static_cast<i8>(hex_digit(text[1]));
  else if (text[0] == '/' && text.size() == 3)
    row.second = static_cast<i16>(hex_digit(text[1]) * 16 + hex_digit(text[2]));
  else
    return false;
  return true;
}

consteval bool uses_modrm(Method method) {
  switch (method) {
    case Method::E:
    case Method::G:
    case Method::M:
    case Method::R:
    case Method::C:
    case Method::D:
    case Method::S:
    case Method::P:
    case Method::Q:
    case Method::N:
    case Method::V:
    case Method::W:
    case Method::U:
    case Method::StI: return true;
    default: return false;
  }
}

consteval bool is_vector(Method method) {
  switch (method) {
    case Method::P:
    case Method::Q:
    case Method::N:
    case Method::V:
    case Method::W:
    case Method::U:
    case Method::H:
    case Method::L: return true;
    default: return false;
  }
}

/// What an operand's letter says of the whole row.
consteval void conclude(Row& row, OperandSpec spec, bool not_native) {
  const Method method = spec.method;
  const Type type = spec.memory_type;
  row.has_modrm |= uses_modrm(method);
  if (method == Method::M) row.attributes |= MemoryOnly;
  const bool reg =
      method == Method::R || method == Method::N || method == Method::U || method == Method::StI;
  if (reg && !(row.attributes & IgnoreMod)) row.attributes |= RegisterOnly;
  if (is_vector(method) && !not_native) row.attributes |= NativeVector;
  if (method == Method::Z) row.opcodes = 8;
  const bool wide = type == Type::X || type == Type::Dq || type == Type::Qq;
  const bool memory = method == Method::M || method == Method::W || method == Method::Q;
  if (memory && !wide) row.attributes |= Unaligned;
}

}  // namespace parse

consteval Row row(Map map, u8 opcode, std::string_view text, const Traits& traits) {
  Row made;
  made.map = map;
  made.opcode = opcode;
  made.attributes = traits.attributes;
  made.flags = traits.flags;
  made.feature = traits.feature;
  made.has_feature = traits.has_feature;
  std::string_view rest = text;
  made.mnemonic = parse::word(rest);
  while (parse::qualifier(made.mnemonic, made)) made.mnemonic = parse::word(rest);
  made.operands = rest;
  for (unsigned n = 0; !rest.empty(); ++n) {
    if (n == kMaxOperands) throw "too many operands";
    const std::size_t comma = rest.find(',');
    made.operand[n] = parse::operand(rest.substr(0, comma));
    rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
    parse::conclude(made, made.operand[n], traits.not_native);
  }
  if (made.extension >= 0 || made.second >= 0) made.has_modrm = true;
  if (made.extension > 7 || (made.second >= 0 && made.second < 0xc0)) throw "no such ModRM";
  if (made.mnemonic.ends_with("cc")) made.opcodes = 16;
  return made;
}

/// Whether some encoding belongs to both.
constexpr bool overlap(const Row& a, const Row& b) {
  const auto apart = [&](Attribute one, Attribute other) {
    return (a.is(one) && b.is(other)) || (a.is(other) && b.is(one));
  };
  if (a.map != b.map || a.vex != b.vex) return false;
  if (a.opcode >= b.opcode + b.opcodes || b.opcode >= a.opcode + a.opcodes) return false;
  if (apart(No64, Only64) || apart(MemoryOnly, RegisterOnly) || apart(VexL0, VexL1) ||
      apart(VexW0, VexW1))
    return false;
  // A mandatory prefix is more special than none; a whole ModRM byte more than an extension.
  if (a.prefix != b.prefix || a.is(NoRexB) != b.is(NoRexB)) return false;
  return a.extension == b.extension && a.second == b.second;
}

constexpr bool unique(std::span<const Row> table) {
  for (std::size_t i = 0; i < table.size(); ++i)
    for (std::size_t j = i + 1; j < table.size(); ++j)
      if (overlap(table[i], table[j])) return false;
  return true;
}

}  // namespace rhea::x86::isa
