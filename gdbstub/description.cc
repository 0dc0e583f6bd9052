// SPDX-License-Identifier: GPL-2.0-or-later
// The target description. Types that no register of a feature has are left out.
#include "gdbstub/description.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rhea::gdbstub {
namespace {

struct Bit {
  std::string_view name;
  unsigned first, last;
};
struct FlagType {
  std::string_view id;
  unsigned bytes;
  std::span<const Bit> bits;
};

constexpr std::array kEflags = std::to_array<Bit>({{"CF", 0, 0},
                                                   {"", 1, 1},
                                                   {"PF", 2, 2},
                                                   {"AF", 4, 4},
                                                   {"ZF", 6, 6},
                                                   {"SF", 7, 7},
                                                   {"TF", 8, 8},
                                                   {"IF", 9, 9},
                                                   {"DF", 10, 10},
                                                   {"OF", 11, 11},
                                                   {"NT", 14, 14},
                                                   {"RF", 16, 16},
                                                   {"VM", 17, 17},
                                                   {"AC", 18, 18},
                                                   {"VIF", 19, 19},
                                                   {"VIP", 20, 20},
                                                   {"ID", 21, 21}});
constexpr std::array kMxcsr = std::to_array<Bit>({{"IE", 0, 0},
                                                  {"DE", 1, 1},
                                                  {"ZE", 2, 2},
                                                  {"OE", 3, 3},
                                                  {"UE", 4, 4},
                                                  {"PE", 5, 5},
                                                  {"DAZ", 6, 6},
                                                  {"IM", 7, 7},
                                                  {"DM", 8, 8},
                                                  {"ZM", 9, 9},
                                                  {"OM", 10, 10},
                                                  {"UM", 11, 11},
                                                  {"PM", 12, 12},
                                                  {"FZ", 15, 15}});
constexpr std::array kCr0 = std::to_array<Bit>({{"PE", 0, 0},
                                                {"MP", 1, 1},
                                                {"EM", 2, 2},
                                                {"TS", 3, 3},
                                                {"ET", 4, 4},
                                                {"NE", 5, 5},
                                                {"WP", 16, 16},
                                                {"AM", 18, 18},
                                                {"NW", 29, 29},
                                                {"CD", 30, 30},
                                                {"PG", 31, 31}});
constexpr std::array kCr4 = std::to_array<Bit>(
    {{"VME", 0, 0},     {"PVI", 1, 1},       {"TSD", 2, 2},          {"DE", 3, 3},
     {"PSE", 4, 4},     {"PAE", 5, 5},       {"MCE", 6, 6},          {"PGE", 7, 7},
     {"PCE", 8, 8},     {"OSFXSR", 9, 9},    {"OSXMMEXCPT", 10, 10}, {"UMIP", 11, 11},
     {"LA57", 12, 12},  {"VMXE", 13, 13},    {"SMXE", 14, 14},       {"FSGSBASE", 16, 16},
     {"PCIDE", 17, 17}, {"OSXSAVE", 18, 18}, {"SMEP", 20, 20},       {"SMAP", 21, 21},
     {"PKE", 22, 22},   {"CET", 23, 23},     {"PKS", 24, 24}});
constexpr std::array kEfer = std::to_array<Bit>({{"SCE", 0, 0},
                                                 {"LME", 8, 8},
                                                 {"LMA", 10, 10},
                                                 {"NXE", 11, 11},
                                                 {"SVME", 12, 12},
                                                 {"LMSLE", 13, 13},
                                                 {"FFXSR", 14, 14},
                                                 {"TCE", 15, 15}});
constexpr std::array kFlagTypes = std::to_array<FlagType>({{"i386_eflags", 4, kEflags},
                                                           {"i386_mxcsr", 4, kMxcsr},
                                                           {"x86_cr0", 8, kCr0},
                                                           {"x86_cr4", 8, kCr4},
                                                           {"x86_efer", 8, kEfer}});

struct VectorType {
  std::string_view id, element;
  unsigned count;
};
// What a register of 128 bits may be taken for.
constexpr std::array kParts = std::to_array<VectorType>({{"v4_float", "ieee_single", 4},
                                                         {"v2_double", "ieee_double", 2},
                                                         {"v16_int8", "int8", 16},
                                                         {"v8_int16", "int16", 8},
                                                         {"v4_int32", "int32", 4},
                                                         {"v2_int64", "int64", 2},
                                                         {"uint128", "", 0}});

bool uses(const RegisterFeature& feature, std::string_view type) {
  return std::ranges::any_of(feature.registers, [&](const Register& r) { return r.type == type; });
}

std::string flag_type(const FlagType& type) {
  std::string text = fmt::format("<flags id=\"{}\" size=\"{}\">", type.id, type.bytes);
  for (const Bit& bit : type.bits)
    text +=
        fmt::format("<field name=\"{}\" start=\"{}\" end=\"{}\"/>", bit.name, bit.first, bit.last);
  return text + "</flags>\n";
}

std::string vector_type(const VectorType& type) {
  return fmt::format("<vector id=\"{}\" type=\"{}\" count=\"{}\"/>\n", type.id, type.element,
                     type.count);
}

std::string types(const RegisterFeature& feature) {
  std::string text;
  for (const FlagType& type : kFlagTypes)
    if (uses(feature, type.id)) text += flag_type(type);
  if (uses(feature, "vec128")) {
    std::string members;
    for (const VectorType& part : kParts) {
      if (part.count != 0) text += vector_type(part);
      members += fmt::format("<field name=\"{}\" type=\"{}\"/>", part.id, part.id);
    }
    text += fmt::format("<union id=\"vec128\">{}</union>\n", members);
  }
  if (uses(feature, "v2u128"))
    text += vector_type({.id = "v2u128", .element = "uint128", .count = 2});
  return text;
}

}  // namespace

std::string target_description(Layout layout, std::span<const RegisterFeature> features) {
  std::string text = fmt::format(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
      "<target version=\"1.0\">\n<architecture>{}</architecture>\n",
      architecture(layout));
  // Gdb has no 16-bit Linux, which it would take a program for by default.
  if (layout == Layout::I8086) text += "<osabi>none</osabi>\n";
  for (const RegisterFeature& feature : features) {
    text += fmt::format("<feature name=\"{}\">\n{}", feature.name, types(feature));
    for (const Register& r : feature.registers) {
      text += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\"", r.name, r.bits, r.type);
      text += r.group.empty() ? "/>\n" : fmt::format(" group=\"{}\"/>\n", r.group);
    }
    text += "</feature>\n";
  }
  return text + "</target>\n";
}

}  // namespace rhea::gdbstub
