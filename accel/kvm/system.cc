// SPDX-License-Identifier: GPL-2.0-or-later
// Opening /dev/kvm and asking what it offers.
#include "accel/kvm/system.h"

#include "accel/kvm/ioctl.h"

#include <fcntl.h>

#include <array>

namespace rhea::kvm {
namespace {

struct Required {
  int capability;
  const char* name;
};
// Without these there is no PC: all of them are in every kernel since Linux 3.0.
constexpr std::array kRequired = {
    Required{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
    Required{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    Required{KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    Required{KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    Required{KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    Required{KVM_CAP_DESTROY_MEMORY_REGION_WORKS, "KVM_CAP_DESTROY_MEMORY_REGION_WORKS"},
    Required{KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, "KVM_CAP_JOIN_MEMORY_REGIONS_WORKS"},
    Required{KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS"},
};

std::unexpected<Error> open_error(const std::string& device, int error) {
  switch (error) {
    case ENOENT:
      return fail(
          "cannot open {}: there is no such device; this host has no KVM, or its module is not "
          "loaded",
          device);
    case EACCES:
    case EPERM:
      return fail("cannot open {}: no permission; usually the user must be in the group 'kvm'",
                  device);
    default: return fail("cannot open {}: {}", device, errno_text(error));
  }
}

}  // namespace

Result<> System::check_version(int api_version) {
  if (api_version == KVM_API_VERSION) return {};
  return fail("this host's KVM speaks API version {}, only version {} will do", api_version,
              KVM_API_VERSION);
}

Result<> System::check_extensions() const {
  for (const Required& required : kRequired)
    if (extension(required.capability) == 0)
      return fail("this host's KVM is too old: it lacks {}", required.name);
  return {};
}

Result<std::unique_ptr<System>> System::open(const std::string& device) {
  std::unique_ptr<System> system(new System);
  system->fd_ = FileDescriptor(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!system->fd_) return open_error(device, errno);
  const int version = call(system->fd(), KVM_GET_API_VERSION);
  if (version < 0) return fail("{} is not KVM: {}", device, errno_text(-version));
  TRY(check_version(version));
  TRY(system->check_extensions());
  TRY(system->read_lists());
  return system;
}

Result<> System::read_lists() {
  run_size_ = static_cast<std::size_t>(
      TRY(try_call("KVM_GET_VCPU_MMAP_SIZE", fd(), KVM_GET_VCPU_MMAP_SIZE)));
  if (run_size_ < sizeof(kvm_run))
    return fail("this host's KVM is too old: it shares only {} bytes with a vCPU", run_size_);
  msrs_ = TRY(msr_list(KVM_GET_MSR_INDEX_LIST, "KVM_GET_MSR_INDEX_LIST"));
  if (extension(KVM_CAP_GET_MSR_FEATURES) != 0)
    feature_msrs_ = TRY(msr_list(KVM_GET_MSR_FEATURE_INDEX_LIST, "KVM_GET_MSR_FEATURE_INDEX_LIST"));
  cpuid_ = TRY(cpuid_list());
  return {};
}

int System::extension(int capability) const {
  if (hidden(capability)) return 0;
  return std::max(call(fd(), KVM_CHECK_EXTENSION, static_cast<unsigned long>(capability)), 0);
}

Result<std::vector<u32>> System::msr_list(unsigned long request, std::string_view name) const {
  VariableBlock<kvm_msr_list, u32> probe(0);
  const int asked = call(fd(), request, &probe.header());
  if (asked < 0 && asked != -E2BIG) return fail("{}: {}", name, errno_text(-asked));
  VariableBlock<kvm_msr_list, u32> list(probe.header().nmsrs);
  list.header().nmsrs = probe.header().nmsrs;
  TRY(try_call(name, fd(), request, &list.header()));
  const auto entries = list.entries().first(list.header().nmsrs);
  return std::vector<u32>(entries.begin(), entries.end());
}

Result<std::vector<kvm_cpuid_entry2>> System::cpuid_list() const {
  // The kernel says only "too few": try larger until it fits.
  for (u32 room = 64; room <= 4096; room *= 2) {
    VariableBlock<kvm_cpuid2, kvm_cpuid_entry2> list(room);
    list.header().nent = room;
    const int result = call(fd(), KVM_GET_SUPPORTED_CPUID, &list.header());
    if (result == -E2BIG) continue;
    if (result < 0) return fail("KVM_GET_SUPPORTED_CPUID: {}", errno_text(-result));
    const auto entries = list.entries().first(list.header().nent);
    return std::vector<kvm_cpuid_entry2>(entries.begin(), entries.end());
  }
  return fail("KVM_GET_SUPPORTED_CPUID: the list does not end");
}

std::optional<u64> System::feature_msr(u32 index) const {
  VariableBlock<kvm_msrs, kvm_msr_entry> block(1);
  block.header().nmsrs = 1;
  block.entries()[0].index = index;
  if (call(fd(), KVM_GET_MSRS, &block.header()) != 1) return std::nullopt;
  return block.entries()[0].data;
}

Result<FileDescriptor> System::create_vm() const {
  // Type 0: the host's ordinary machine. call() repeats it when a signal comes in between.
  return FileDescriptor(TRY(try_call("KVM_CREATE_VM", fd(), KVM_CREATE_VM)));
}

}  // namespace rhea::kvm
