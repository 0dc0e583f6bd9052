// SPDX-License-Identifier: GPL-2.0-or-later
// x87 and vector registers: KVM_GET/SET_XSAVE, XSAVE2, XCRS, and FPU where there is no XSAVE.
#include "accel/kvm/state.h"
#include "accel/kvm/vm.h"

#include <algorithm>

namespace rhea::kvm {
namespace {

constexpr std::size_t kLeast = 576;              // legacy region and header (SDM vol. 1, 13.4)
constexpr std::size_t kComponentsPresent = 512;  // XSTATE_BV in the header
constexpr u64 kX87AndSse = 3;

std::size_t area_size(const Vm& vm) {
  const int offered = vm.extension(KVM_CAP_XSAVE2);
  return std::max(static_cast<std::size_t>(std::max(offered, 0)), sizeof(kvm_xsave));
}

template <class T>
void put(std::vector<u8>& area, std::size_t offset, const T& value) {
  std::memcpy(area.data() + offset, &value, sizeof value);
}
template <class T>
void get(const std::vector<u8>& area, std::size_t offset, T& value) {
  std::memcpy(&value, area.data() + offset, sizeof value);
}

// The legacy region has kvm_fpu's fields at FXSAVE's places (SDM vol. 1, table 10-2).
template <class Area, class Move>
void each_legacy_field(Area& area, const Move& move, auto& fpu) {
  move(area, 0, fpu.fcw);
  move(area, 2, fpu.fsw);
  move(area, 4, fpu.ftwx);
  move(area, 6, fpu.last_opcode);
  move(area, 8, fpu.last_ip);
  move(area, 16, fpu.last_dp);
  move(area, 24, fpu.mxcsr);
  move(area, 32, fpu.fpr);
  move(area, 160, fpu.xmm);
}

Result<> read_fpu(const VcpuHandle& handle, x86::CpuState& state) {
  kvm_fpu fpu{};
  TRY(handle.try_call("KVM_GET_FPU", KVM_GET_FPU, &fpu));
  state.xsave.assign(kLeast, 0);
  each_legacy_field(
      state.xsave, [](auto& area, std::size_t at, const auto& v) { put(area, at, v); }, fpu);
  put(state.xsave, kComponentsPresent, kX87AndSse);
  return {};
}

Result<> write_fpu(const VcpuHandle& handle, const x86::CpuState& state) {
  kvm_fpu fpu{};
  each_legacy_field(
      state.xsave, [](const auto& area, std::size_t at, auto& v) { get(area, at, v); }, fpu);
  TRY(handle.try_call("KVM_SET_FPU", KVM_SET_FPU, &fpu));
  return {};
}

Result<> write_xcr0(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state) {
  if (vm.extension(KVM_CAP_XCRS) == 0) return {};
  kvm_xcrs xcrs{};
  xcrs.nr_xcrs = 1;
  xcrs.xcrs[0].xcr = 0;
  xcrs.xcrs[0].value = state.xcr0;
  TRY(handle.try_call("KVM_SET_XCRS", KVM_SET_XCRS, &xcrs));
  return {};
}

Result<> read_xcr0(Vm& vm, const VcpuHandle& handle, x86::CpuState& state) {
  if (vm.extension(KVM_CAP_XCRS) == 0) return {};
  kvm_xcrs xcrs{};
  TRY(handle.try_call("KVM_GET_XCRS", KVM_GET_XCRS, &xcrs));
  for (u32 i = 0; i < std::min<u32>(xcrs.nr_xcrs, KVM_MAX_XCRS); ++i)
    if (xcrs.xcrs[i].xcr == 0) state.xcr0 = xcrs.xcrs[i].value;
  return {};
}

}  // namespace

Result<> read_vectors(Vm& vm, const VcpuHandle& handle, x86::CpuState& state) {
  TRY(read_xcr0(vm, handle, state));
  if (vm.extension(KVM_CAP_XSAVE) == 0) return read_fpu(handle, state);
  state.xsave.assign(area_size(vm), 0);
  if (vm.extension(KVM_CAP_XSAVE2) > 0)
    TRY(handle.try_call("KVM_GET_XSAVE2", KVM_GET_XSAVE2, state.xsave.data()));
  else
    TRY(handle.try_call("KVM_GET_XSAVE", KVM_GET_XSAVE, state.xsave.data()));
  return {};
}

Result<> write_vectors(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state) {
  if (state.xsave.size() < kLeast)
    return fail("the vector state has only {} bytes", state.xsave.size());
  TRY(write_xcr0(vm, handle, state));
  if (vm.extension(KVM_CAP_XSAVE) == 0) return write_fpu(handle, state);
  // The area of another host may be longer or shorter; the kernel reads what its own is long.
  std::vector<u8> area = state.xsave;
  area.resize(area_size(vm));
  TRY(handle.try_call("KVM_SET_XSAVE", KVM_SET_XSAVE, area.data()));
  return {};
}

}  // namespace rhea::kvm
