// SPDX-License-Identifier: GPL-2.0-or-later
// RAM blocks moved onto KVM's guest_memfd, memory that belongs to the guest first
// (`guest-memfd=on`).
#pragma once

#include "rhea/softmmu/ram_block.h"
#include "rhea/util/file_descriptor.h"

#include <map>
#include <memory>

namespace rhea::kvm {

class Vm;

class GuestMemfds {
 public:
  /// A kernel can only take part when it lets the host map such memory and gives it out shared.
  static Result<> check(const Vm& vm);

  GuestMemfds(Vm& vm, bool wanted) : vm_(&vm), wanted_(wanted) {}
  /// The block's file descriptor, made (and the block's contents moved over) on first use; -1 when
  /// guest_memfd is not wanted, or the block is not anonymous memory.
  int fd_for(const std::shared_ptr<RamBlock>& block);

 private:
  struct Moved {
    std::weak_ptr<RamBlock> block;
    FileDescriptor fd;
  };
  Result<FileDescriptor> move(RamBlock& block);

  Vm* vm_;
  bool wanted_;
  std::map<const RamBlock*, Moved> moved_;
};

}  // namespace rhea::kvm
