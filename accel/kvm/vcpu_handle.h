// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's side of a vCPU: its descriptor and shared memory. KVM cannot give one back while the VM
// lives, so the handle of an unplugged vCPU is parked and used again.
#pragma once

#include "accel/kvm/ioctl.h"
#include "accel/kvm/uapi.h"
#include "rhea/util/file_descriptor.h"
#include "target/x86/cpu_state.h"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rhea::kvm {

class Vm;

struct VcpuHandle {
  /// KVM_CREATE_VCPU and the mappings behind it; `id` is the APIC id.
  static Result<std::unique_ptr<VcpuHandle>> create(Vm& vm, u32 id);
  ~VcpuHandle();
  VcpuHandle(const VcpuHandle&) = delete;
  VcpuHandle& operator=(const VcpuHandle&) = delete;

  template <class T = unsigned long>
  int call(unsigned long request, T argument = 0) const {
    return kvm::call(fd.get(), request, argument);
  }
  template <class T = unsigned long>
  Result<int> try_call(std::string_view name, unsigned long request, T argument = 0) const {
    return kvm::try_call(name, fd.get(), request, argument);
  }

  u32 id{};
  FileDescriptor fd;
  kvm_run* run{};
  std::span<kvm_dirty_gfn> ring;
  /// What CPUID tells the guest.
  std::vector<kvm_cpuid_entry2> cpuid;
  /// The MSRs that make up its state.
  std::vector<u32> msrs;
  /// As KVM made it: what a reset goes back to.
  std::optional<x86::CpuState> power_on;

 private:
  VcpuHandle() = default;
  Result<> map(Vm& vm);
  std::size_t run_size_{};
};

}  // namespace rhea::kvm
