// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's KVM interface as C++ sees it: the header with its flexible arrays mended, and what
// is newer than it.
#pragma once

#include <linux/stddef.h>

// The kernel's macro pads each array with an empty struct, which has one byte in C++: every ioctl
// number and every offset made from such a struct would be wrong.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#undef __DECLARE_FLEX_ARRAY
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) TYPE NAME[0]
#include <linux/kvm.h>
#pragma GCC diagnostic pop

static_assert(sizeof(kvm_msr_list) == 4 && sizeof(kvm_msrs) == 8 && sizeof(kvm_cpuid2) == 8);
static_assert(sizeof(kvm_irq_routing) == 8 && sizeof(kvm_coalesced_mmio_ring) == 8);
static_assert(sizeof(kvm_xsave) == 4096 && sizeof(kvm_signal_mask) == 4);

#ifndef KVM_SET_USER_MEMORY_REGION2
#define KVM_CAP_USER_MEMORY2 231
#define KVM_MEM_GUEST_MEMFD (1UL << 2)
// NOLINTNEXTLINE(readability-identifier-naming): the kernel's
struct kvm_userspace_memory_region2 {
  __u32 slot;
  __u32 flags;
  __u64 guest_phys_addr;
  __u64 memory_size;
  __u64 userspace_addr;
  __u64 guest_memfd_offset;
  __u32 guest_memfd;
  __u32 pad1;
  __u64 pad2[14];
};
#define KVM_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#endif

#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_CAP_GUEST_MEMFD 234
// NOLINTNEXTLINE(readability-identifier-naming): the kernel's
struct kvm_create_guest_memfd {
  __u64 size;
  __u64 flags;
  __u64 reserved[6];
};
#define KVM_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
#endif
#ifndef GUEST_MEMFD_FLAG_MMAP
#define KVM_CAP_GUEST_MEMFD_FLAGS 244
#define GUEST_MEMFD_FLAG_MMAP (1ULL << 0)
#define GUEST_MEMFD_FLAG_INIT_SHARED (1ULL << 1)
#endif

#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39
#endif
#ifndef KVM_CAP_DIRTY_LOG_RING_ACQ_REL
#define KVM_CAP_DIRTY_LOG_RING_ACQ_REL 223
#endif

namespace rhea::kvm {

/// What stands in kvm_run's union after KVM_EXIT_MEMORY_FAULT.
struct MemoryFault {
  __u64 flags, gpa, size;
};

}  // namespace rhea::kvm
