// SPDX-License-Identifier: GPL-2.0-or-later
// Making a guest_memfd and putting it where a RAM block's memory was.
#include "accel/kvm/guest_memfd.h"

#include "accel/kvm/vm.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace rhea::kvm {
namespace {

constexpr u64 kWantedFlags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;

// Copies what is not zero, so that untouched pages stay unallocated.
void copy_pages(u8* to, const u8* from, u64 size) {
  for (u64 at = 0; at < size; at += kPageSize)
    if (!std::all_of(from + at, from + at + kPageSize, [](u8 byte) { return byte == 0; }))
      std::memcpy(to + at, from + at, kPageSize);
}

}  // namespace

Result<> GuestMemfds::check(const Vm& vm) {
  if (vm.extension(KVM_CAP_USER_MEMORY2) == 0 || vm.extension(KVM_CAP_GUEST_MEMFD) == 0)
    return fail("guest-memfd=on: this host's KVM has no guest_memfd");
  if ((static_cast<u64>(vm.extension(KVM_CAP_GUEST_MEMFD_FLAGS)) & kWantedFlags) != kWantedFlags)
    return fail(
        "guest-memfd=on: this host's KVM does not let its guest_memfd be mapped and shared");
  return {};
}

int GuestMemfds::fd_for(const std::shared_ptr<RamBlock>& block) {
  if (!wanted_ || block->fd() >= 0) return -1;
  const auto it = moved_.find(block.get());
  if (it != moved_.end() && !it->second.block.expired()) return it->second.fd.get();
  auto fd = move(*block);
  if (!fd) {
    vm_->warn_once("guest-memfd " + block->id(), fd.error().message());
    return -1;
  }
  Moved& moved = moved_[block.get()];
  moved = {.block = block, .fd = std::move(*fd)};
  return moved.fd.get();
}

Result<FileDescriptor> GuestMemfds::move(RamBlock& block) {
  kvm_create_guest_memfd request{};
  request.size = block.size();
  request.flags = kWantedFlags;
  FileDescriptor fd(
      TRY(try_call("KVM_CREATE_GUEST_MEMFD", vm_->fd(), KVM_CREATE_GUEST_MEMFD, &request)));
  void* mapped = ::mmap(nullptr, block.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED)
    return fail("cannot map the guest_memfd of '{}': {}", block.id(), errno_text(errno));
  copy_pages(static_cast<u8*>(mapped), block.host(), block.size());
  // Takes the place of the old pages in one step.
  void* placed =
      ::mremap(mapped, block.size(), block.size(), MREMAP_MAYMOVE | MREMAP_FIXED, block.host());
  if (placed == block.host()) return fd;
  const int error = errno;
  ::munmap(mapped, block.size());
  return fail("cannot place the guest_memfd of '{}': {}", block.id(), errno_text(error));
}

}  // namespace rhea::kvm
