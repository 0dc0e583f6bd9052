// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the KVM accelerator.
#pragma once

#include "rhea/util/trace.h"
#include "rhea/util/types.h"

#include <string>

namespace rhea::kvm {

inline trace::Event<u32, u64, u64, u32, int> kvm_set_user_memory{
    "kvm_set_user_memory", "slot {} gpa {:#x} size {:#x} flags {:#x} ret {}"};
inline trace::Event<u32, int> kvm_get_dirty_log_call{"kvm_get_dirty_log", "slot {} ret {}"};
inline trace::Event<u32, u64, u32, int> kvm_clear_dirty_log_call{
    "kvm_clear_dirty_log", "slot {} first page {:#x} pages {} ret {}"};
inline trace::Event<u32> kvm_dirty_ring_harvest{"kvm_dirty_ring_harvest", "pages {}"};
inline trace::Event<unsigned, u32> kvm_run_exit{"kvm_run_exit", "cpu {} reason {}"};
inline trace::Event<u32, bool, int> kvm_irq_line_call{"kvm_irq_line", "gsi {} level {} ret {}"};
inline trace::Event<u64, u32, int> kvm_signal_msi{"kvm_signal_msi",
                                                  "address {:#x} data {:#x} ret {}"};
inline trace::Event<u32, u64, u32> kvm_route{"kvm_route", "gsi {} address {:#x} data {:#x}"};
inline trace::Event<bool, u64, int, bool, int> kvm_ioeventfd_call{
    "kvm_ioeventfd", "port {} address {:#x} fd {} assign {} ret {}"};
inline trace::Event<bool, u64, u64, bool, int> kvm_coalesced{
    "kvm_coalesced", "port {} address {:#x} size {:#x} add {} ret {}"};
inline trace::Event<unsigned, u8> kvm_interrupt_call{"kvm_interrupt", "cpu {} vector {:#x}"};
inline trace::Event<unsigned, u64, std::string> kvm_software_step{"kvm_software_step",
                                                                  "cpu {} rip {:#x} first {}"};
inline trace::Event<u8> kvm_ioapic_eoi{"kvm_ioapic_eoi", "vector {:#x}"};
inline trace::Event<unsigned, u32, u64> kvm_msr_refused{"kvm_msr_refused",
                                                        "cpu {} msr {:#x} value {:#x}"};

}  // namespace rhea::kvm
