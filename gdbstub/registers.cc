// SPDX-License-Identifier: GPL-2.0-or-later
// A processor's registers as the debugger numbers them.
#include "gdbstub/registers.h"

#include "gdbstub/system_registers.h"
#include "gdbstub/vector_registers.h"
#include "target/x86/registers.h"

#include <algorithm>
#include <cstring>

namespace rhea::gdbstub {
namespace {

using Kind = RegisterKind;

/// Little-endian, of up to 8 bytes.
u64 value_of(std::span<const u8> bytes) {
  u64 value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

std::vector<u8> bytes_of(const x86::CpuState& state, const accel::XsaveOffsets& vectors,
                         const Register& which) {
  std::vector<u8> bytes(which.bytes());
  if (is_vector_register(which.kind)) {
    read_vector_register(state, vectors, which, bytes);
    return bytes;
  }
  const u64 value =
      which.kind == Kind::Gpr ? state.gpr[which.index] : read_system_register(state, which);
  std::memcpy(bytes.data(), &value, std::min(bytes.size(), sizeof value));
  return bytes;
}

}  // namespace

Registers::Registers(Layout layout, const accel::XsaveOffsets& vectors)
    : vectors_(vectors), features_(register_features(layout, vectors)) {
  for (unsigned feature = 0; feature < features_.size(); ++feature)
    for (unsigned index = 0; index < features_[feature].registers.size(); ++index)
      order_.push_back({.feature = feature, .index = index});
}

std::vector<u8> Registers::read_all(const x86::CpuState& state) const {
  std::vector<u8> all;
  for (const RegisterFeature& feature : features_)
    for (const Register& which : feature.registers) {
      const std::vector<u8> one = bytes_of(state, vectors_, which);
      all.insert(all.end(), one.begin(), one.end());
    }
  return all;
}

std::vector<u8> Registers::read(const x86::CpuState& state, std::size_t number) const {
  return bytes_of(state, vectors_, at(number));
}

bool Registers::write_all(x86::CpuState& state, std::span<const u8> bytes,
                          const ReadLinear& memory) const {
  // A register may be there under two names: the one that was not changed must not win.
  const x86::CpuState before = state;
  for (std::size_t number = 0; number < count(); ++number) {
    const Register& which = at(number);
    if (bytes.size() < which.bytes()) return false;
    const std::span<const u8> value = bytes.first(which.bytes());
    bytes = bytes.subspan(which.bytes());
    if (!std::ranges::equal(value, bytes_of(before, vectors_, which)) &&
        !write_one(state, which, value, memory))
      return false;
  }
  return bytes.empty() && make_consistent(state);
}

bool Registers::write(x86::CpuState& state, std::size_t number, std::span<const u8> bytes,
                      const ReadLinear& memory) const {
  return bytes.size() == at(number).bytes() && write_one(state, at(number), bytes, memory) &&
         make_consistent(state);
}

bool Registers::write_one(x86::CpuState& state, const Register& which, std::span<const u8> bytes,
                          const ReadLinear& memory) const {
  if (is_vector_register(which.kind)) return write_vector_register(state, vectors_, which, bytes);
  const u64 value = value_of(bytes);
  if (which.kind == Kind::Gpr) {
    std::memcpy(&state.gpr[which.index], bytes.data(), bytes.size());
    return true;
  }
  if (which.kind == Kind::Selector)
    return value <= 0xffff &&
           load_segment(state, static_cast<x86::Seg>(which.index), static_cast<u16>(value), memory);
  return write_system_register(state, which, value);
}

}  // namespace rhea::gdbstub
