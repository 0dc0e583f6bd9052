// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers of KVM's hypercalls (Linux, include/uapi/linux/kvm_para.h).
#pragma once

#include "rhea/util/types.h"

namespace rhea::x86 {

namespace hypercall {
inline constexpr u64 kVapicPollIrq = 1, kSendIpi = 10, kSchedYield = 11;
}  // namespace hypercall

namespace hypercall_result {
inline constexpr u64 kNotPermitted = static_cast<u64>(-1), kInvalid = static_cast<u64>(-22),
                     kNoSuchCall = static_cast<u64>(-1000);
}  // namespace hypercall_result

}  // namespace rhea::x86
