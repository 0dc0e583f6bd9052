// SPDX-License-Identifier: GPL-2.0-or-later
// The registers by feature, under the names that gdb looks for (Debugging with GDB, appendix G.5).
#include "gdbstub/register_list.h"

#include "target/x86/registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rhea::gdbstub {
namespace {

using Kind = RegisterKind;

constexpr std::array<std::string_view, 3> kLayouts = {"x86-64", "i386", "i8086"};

struct NamedIndex {
  std::string_view name;
  unsigned index;
};
constexpr std::array<NamedIndex, 16> kGpr64 = {{{"rax", x86::Rax},
                                                {"rbx", x86::Rbx},
                                                {"rcx", x86::Rcx},
                                                {"rdx", x86::Rdx},
                                                {"rsi", x86::Rsi},
                                                {"rdi", x86::Rdi},
                                                {"rbp", x86::Rbp},
                                                {"rsp", x86::Rsp},
                                                {"r8", x86::R8},
                                                {"r9", x86::R9},
                                                {"r10", x86::R10},
                                                {"r11", x86::R11},
                                                {"r12", x86::R12},
                                                {"r13", x86::R13},
                                                {"r14", x86::R14},
                                                {"r15", x86::R15}}};
constexpr std::array<NamedIndex, 8> kGpr32 = {{{"eax", x86::Rax},
                                               {"ecx", x86::Rcx},
                                               {"edx", x86::Rdx},
                                               {"ebx", x86::Rbx},
                                               {"esp", x86::Rsp},
                                               {"ebp", x86::Rbp},
                                               {"esi", x86::Rsi},
                                               {"edi", x86::Rdi}}};
constexpr std::array<NamedIndex, 6> kSegments = {{{"cs", x86::Cs},
                                                  {"ss", x86::Ss},
                                                  {"ds", x86::Ds},
                                                  {"es", x86::Es},
                                                  {"fs", x86::Fs},
                                                  {"gs", x86::Gs}}};
constexpr std::array<std::string_view, 8> kX87Names = {"fctrl", "fstat", "ftag",  "fiseg",
                                                       "fioff", "foseg", "fooff", "fop"};

void add_general(std::vector<Register>& to, bool wide) {
  if (wide) {
    for (const auto& [name, index] : kGpr64)
      to.push_back({std::string(name), Kind::Gpr, index, 64,
                    index == x86::Rsp || index == x86::Rbp ? "data_ptr" : "int64", "general"});
    to.push_back({"rip", Kind::Pc, 0, 64, "code_ptr", "general"});
    return;
  }
  // A debugger with a 64-bit program takes every pointer for one of 64 bits.
  for (const auto& [name, index] : kGpr32)
    to.push_back({std::string(name), Kind::Gpr, index, 32, "int32", "general"});
  to.push_back({"eip", Kind::Pc, 0, 32, "int32", "general"});
}

RegisterFeature core(bool wide) {
  RegisterFeature feature{.name = "org.gnu.gdb.i386.core", .registers = {}};
  auto& to = feature.registers;
  add_general(to, wide);
  to.push_back({"eflags", Kind::Flags, 0, 32, "i386_eflags", "general"});
  for (const auto& [name, index] : kSegments)
    to.push_back({std::string(name), Kind::Selector, index, 32, "int32", "general"});
  for (unsigned i = 0; i < 8; ++i)
    to.push_back({fmt::format("st{}", i), Kind::St, i, 80, "i387_ext", "float"});
  for (unsigned i = 0; i < kX87Names.size(); ++i)
    to.push_back({std::string(kX87Names[i]), Kind::X87, i, 32, "int", "float"});
  if (wide) return feature;
  for (const auto& [name, index] : kGpr64)
    to.push_back({std::string(name), Kind::Gpr, index, 64, "int64", "x86-64"});
  to.push_back({"rip", Kind::Pc, 0, 64, "int64", "x86-64"});
  return feature;
}

RegisterFeature sse() {
  RegisterFeature feature{.name = "org.gnu.gdb.i386.sse", .registers = {}};
  for (unsigned i = 0; i < 16; ++i)
    feature.registers.push_back({fmt::format("xmm{}", i), Kind::Xmm, i, 128, "vec128", "vector"});
  feature.registers.push_back({"mxcsr", Kind::Mxcsr, 0, 32, "i386_mxcsr", "vector"});
  return feature;
}

RegisterFeature avx() {
  RegisterFeature feature{.name = "org.gnu.gdb.i386.avx", .registers = {}};
  for (unsigned i = 0; i < 16; ++i)
    feature.registers.push_back({fmt::format("ymm{}h", i), Kind::YmmHigh, i, 128, "uint128", ""});
  return feature;
}

RegisterFeature avx512() {
  RegisterFeature feature{.name = "org.gnu.gdb.i386.avx512", .registers = {}};
  auto& to = feature.registers;
  for (unsigned i = 0; i < 8; ++i)
    to.push_back({fmt::format("k{}", i), Kind::Opmask, i, 64, "uint64", ""});
  for (unsigned i = 0; i < 32; ++i)
    to.push_back({fmt::format("zmm{}h", i), Kind::ZmmHigh, i, 256, "v2u128", ""});
  for (unsigned i = 16; i < 32; ++i)
    to.push_back({fmt::format("xmm{}", i), Kind::Xmm, i, 128, "vec128", "vector"});
  for (unsigned i = 16; i < 32; ++i)
    to.push_back({fmt::format("ymm{}h", i), Kind::YmmHigh, i, 128, "uint128", ""});
  return feature;
}

RegisterFeature system(bool wide) {
  RegisterFeature feature{.name = "org.rhea.x86.system", .registers = {}};
  auto& to = feature.registers;
  for (const auto& [name, index] : kSegments)
    to.push_back({fmt::format("{}_base", name), Kind::SegmentBase, index, 64, "int64", "system"});
  to.push_back({"k_gs_base", Kind::KernelGsBase, 0, 64, "int64", "system"});
  to.push_back({"cr0", Kind::Control, 0, 64, "x86_cr0", "system"});
  to.push_back({"cr2", Kind::Control, 2, 64, wide ? "data_ptr" : "int64", "system"});
  to.push_back({"cr3", Kind::Control, 3, 64, "int64", "system"});
  to.push_back({"cr4", Kind::Control, 4, 64, "x86_cr4", "system"});
  to.push_back({"cr8", Kind::Control, 8, 64, "int64", "system"});
  to.push_back({"efer", Kind::Efer, 0, 64, "x86_efer", "system"});
  return feature;
}

}  // namespace

std::string_view layout_name(Layout layout) { return kLayouts[static_cast<std::size_t>(layout)]; }

std::optional<Layout> layout_of(std::string_view name) {
  const auto* it = std::ranges::find(kLayouts, name);
  if (it == kLayouts.end()) return std::nullopt;
  return static_cast<Layout>(it - kLayouts.begin());
}

Layout layout_of(const x86::CpuState& state) {
  if ((state.efer & x86::efer::kLma) != 0) return Layout::X86_64;
  const bool protected_mode =
      (state.cr0 & x86::cr0::kPe) != 0 && (state.rflags & x86::eflags::kVm) == 0;
  return protected_mode ? Layout::I386 : Layout::I8086;
}

std::string_view architecture(Layout layout) {
  return layout == Layout::X86_64 ? "i386:x86-64" : layout_name(layout);
}

std::vector<RegisterFeature> register_features(Layout layout, const accel::XsaveOffsets& vectors) {
  const bool wide = layout == Layout::X86_64;
  std::vector<RegisterFeature> features = {core(wide), sse()};
  if (vectors.ymm_high != 0) features.push_back(avx());
  if (vectors.opmask != 0 && vectors.zmm_high != 0 && vectors.high_zmm != 0)
    features.push_back(avx512());
  if (vectors.pkru != 0)
    features.push_back({.name = "org.gnu.gdb.i386.pkeys",
                        .registers = {{"pkru", Kind::Pkru, 0, 32, "int32", "system"}}});
  features.push_back(system(wide));
  return features;
}

}  // namespace rhea::gdbstub
