// SPDX-License-Identifier: GPL-2.0-or-later
// Model-specific registers. One that the host refuses costs a warning, once, and nothing else.
#pragma once

#include "accel/kvm/vcpu_handle.h"
#include "target/x86/cpu_state.h"

#include <functional>
#include <span>
#include <vector>

namespace rhea::kvm {

/// Reads or writes a list of MSRs; answers how many of its first entries were done (like
/// KVM_GET_MSRS and KVM_SET_MSRS).
using MsrCall = std::function<int(std::span<kvm_msr_entry>)>;

/// Passes the whole list through `call`, telling `refused` of each MSR that it stops at and going
/// on behind it. Returns the entries that were done.
std::vector<kvm_msr_entry> pass_msrs(std::span<const kvm_msr_entry> list, const MsrCall& call,
                                     const std::function<void(const kvm_msr_entry&)>& refused);

/// The MSRs that make up the vCPU's state: what the kernel lists and gives, and what older kernels
/// have without listing it.
std::vector<u32> state_msrs(Vm& vm, const VcpuHandle& handle);
/// Gives the vCPU the values of the MSRs that say what the host's CPU can do.
void set_feature_msrs(Vm& vm, const VcpuHandle& handle);

void read_msrs(Vm& vm, const VcpuHandle& handle, std::span<const u32> indices,
               std::vector<x86::Msr>& msrs);
void write_msrs(Vm& vm, const VcpuHandle& handle, std::span<const x86::Msr> msrs);
/// One register, without a word; false: KVM refuses.
bool read_msr(const VcpuHandle& handle, u32 index, u64& value);
bool write_msr(const VcpuHandle& handle, u32 index, u64 value);

}  // namespace rhea::kvm
