// SPDX-License-Identifier: GPL-2.0-or-later
// Creating a vCPU's descriptor and mapping what it shares.
#include "accel/kvm/vcpu_handle.h"

#include "accel/kvm/vm.h"

#include <sys/mman.h>
#include <unistd.h>

namespace rhea::kvm {
namespace {

Result<void*> map_shared(int fd, std::size_t size, std::size_t page, std::string_view what) {
  const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                        static_cast<off_t>(page * page_size));
  if (mapped == MAP_FAILED) return fail("cannot map a vCPU's {}: {}", what, errno_text(errno));
  return mapped;
}

}  // namespace

Result<std::unique_ptr<VcpuHandle>> VcpuHandle::create(Vm& vm, u32 id) {
  std::unique_ptr<VcpuHandle> handle(new VcpuHandle);
  handle->id = id;
  handle->fd = FileDescriptor(TRY(
      kvm::try_call("KVM_CREATE_VCPU", vm.fd(), KVM_CREATE_VCPU, static_cast<unsigned long>(id))));
  TRY(handle->map(vm));
  return handle;
}

Result<> VcpuHandle::map(Vm& vm) {
  run_size_ = vm.system().run_size();
  run = static_cast<kvm_run*>(TRY(map_shared(fd.get(), run_size_, 0, "shared area")));
  if (const auto page = static_cast<std::size_t>(vm.extension(KVM_CAP_COALESCED_MMIO)); page > 0)
    vm.coalesced().map(
        reinterpret_cast<kvm_coalesced_mmio_ring*>(reinterpret_cast<u8*>(run) + page * kPageSize));
  if (const std::size_t bytes = vm.dirty_log().ring_bytes(); bytes > 0) {
    void* mapped = TRY(map_shared(fd.get(), bytes, KVM_DIRTY_LOG_PAGE_OFFSET, "dirty ring"));
    ring = {static_cast<kvm_dirty_gfn*>(mapped), bytes / sizeof(kvm_dirty_gfn)};
    vm.dirty_log().add_ring(ring);
  }
  return {};
}

VcpuHandle::~VcpuHandle() {
  if (run != nullptr) ::munmap(run, run_size_);
  if (!ring.empty()) ::munmap(ring.data(), ring.size_bytes());
}

}  // namespace rhea::kvm
