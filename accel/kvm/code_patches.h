// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger's breakpoints as instructions in guest memory.
#pragma once

#include "rhea/softmmu/address_space.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace rhea::kvm {

/// INT3 where the guest's code is, as long as any processor wants it. All processors share memory,
/// so one patch is everybody's; whoever wants it first says where its linear address leads. The
/// guest can see it, and what it writes there takes the breakpoint away. Thread-safe.
class CodePatches {
 public:
  explicit CodePatches(AddressSpace& memory) : memory_(&memory) {}

  using Translate = std::function<std::optional<GuestPhys>(GuestVirt)>;
  /// Processor `user` wants to stop at a linear address. False: no memory is mapped there.
  bool add(unsigned user, u64 address, const Translate& translate);
  void remove(unsigned user, u64 address);
  /// Whether an INT3 at a linear address is ours, or was before somebody took it away again.
  bool has(u64 address) const;
  bool was_removed(u64 address, const Translate& translate) const;

 private:
  struct Patch {
    u64 physical{};
    u8 original{};
    std::set<unsigned> users;
  };
  std::optional<u8> byte_at(u64 physical) const;

  AddressSpace* memory_;
  mutable std::mutex mutex_;
  std::map<u64, Patch> patches_;  ///< by linear address
};

}  // namespace rhea::kvm
