// SPDX-License-Identifier: GPL-2.0-or-later
// CPU registers by name.
#include "monitor/hmp/registers.h"

#include "accel/accelerator.h"

#include <algorithm>
#include <array>

namespace rhea::hmp {
namespace {

constexpr std::array<std::string_view, 16> kNames64 = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                       "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                       "r12", "r13", "r14", "r15"};
constexpr std::array<std::string_view, 8> kNames32 = {"eax", "ecx", "edx", "ebx",
                                                      "esp", "ebp", "esi", "edi"};
constexpr std::array<std::string_view, 6> kSegments = {"es", "cs", "ss", "ds", "fs", "gs"};

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names,
                                    std::string_view name) {
  const auto* it = std::ranges::find(names, name);
  if (it == names.end()) return std::nullopt;
  return static_cast<std::size_t>(it - names.begin());
}

std::optional<u64> control_value(const x86::CpuState& state, std::string_view name) {
  if (name == "cr0") return state.cr0;
  if (name == "cr2") return state.cr2;
  if (name == "cr3") return state.cr3;
  if (name == "cr4") return state.cr4;
  if (name == "cr8") return state.cr8;
  if (name == "efer") return state.efer;
  return std::nullopt;
}

std::optional<u64> value_in(const x86::CpuState& state, std::string_view name) {
  if (const auto i = index_of(kNames64, name)) return state.gpr[*i];
  if (const auto i = index_of(kNames32, name)) return state.gpr[*i] & 0xffffffff;
  if (const auto i = index_of(kSegments, name)) return state.segment[*i].selector;
  if (name.ends_with(".base") || name.ends_with("_base"))
    if (const auto i = index_of(kSegments, name.substr(0, name.size() - 5)))
      return state.segment[*i].base;
  if (name == "rip" || name == "eip") return state.rip;
  if (name == "pc") return state.rip + state.segment[x86::Cs].base;
  if (name == "eflags" || name == "rflags") return state.rflags;
  return control_value(state, name);
}

}  // namespace

std::optional<u64> register_value(Machine& machine, unsigned cpu, std::string_view name) {
  auto& accel = machine.service<accel::AccelService>();
  if (cpu >= accel.vcpu_count()) return std::nullopt;
  const auto state = accel.cpu_state(cpu);
  if (!state) return std::nullopt;
  return value_in(*state, name);
}

}  // namespace rhea::hmp
