// SPDX-License-Identifier: GPL-2.0-or-later
// The whole architectural state of a vCPU between KVM and x86::CpuState. The vCPU is out of the
// guest.
#pragma once

#include "accel/kvm/vcpu_handle.h"
#include "target/x86/cpu_state.h"

namespace rhea::kvm {

Result<> read_state(Vm& vm, const VcpuHandle& handle, x86::CpuState& state);
Result<> write_state(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state);

/// General registers, segments, control and debug registers.
Result<> read_registers(Vm& vm, const VcpuHandle& handle, x86::CpuState& state);
Result<> write_system_registers(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state);
Result<> write_general_registers(const VcpuHandle& handle, const x86::CpuState& state);
Result<> write_debug_registers(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state);

/// x87, SSE and later vector registers, and XCR0.
Result<> read_vectors(Vm& vm, const VcpuHandle& handle, x86::CpuState& state);
Result<> write_vectors(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state);

/// Local APIC, pending events, run state (MP state).
Result<> read_lapic(Vm& vm, const VcpuHandle& handle, x86::CpuState& state);
Result<> write_lapic(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state);
Result<> read_events(const VcpuHandle& handle, x86::CpuState& state);
/// Which of them are written: what comes from outside (NMI, SMI, SIPI) may come at any time.
enum class EventsOf : u8 { All, Processor };
Result<> write_events(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state,
                      EventsOf which = EventsOf::All);
Result<> write_mp_state(const VcpuHandle& handle, x86::MpState state);

}  // namespace rhea::kvm
