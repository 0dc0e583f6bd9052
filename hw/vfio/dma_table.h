// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory that a vfio-user server has: by descriptor, for it to map.
#pragma once

#include "hw/vfio/mirror.h"
#include "rhea/softmmu/address_space.h"

#include <memory>
#include <set>
#include <vector>

namespace rhea::hw::vfio {

/// Follows an address space and tells the server which memory comes and goes. Under the machine's
/// lock.
class DmaTable final : public MemoryListener {
 public:
  ~DmaTable() override { leave(); }

  /// An error when the machine's memory cannot be given away.
  static Result<> check(const AddressSpace& space);
  void join(Link& link, AddressSpace& space);
  /// Tells the server nothing more.
  void leave();

  void commit() override;

 private:
  struct Range {
    u64 address{};
    u64 size{};
    u64 offset{};  ///< in the block
    std::shared_ptr<RamBlock> block;
    bool writable{};
    friend bool operator==(const Range&, const Range&) = default;
  };
  static Result<> check(const Region& region, std::set<const Region*>& seen);
  void add(const FlatRange& range);
  void tell();
  void map(const Range& range);
  void unmap(const Range& range);

  Link* link_{};
  AddressSpace* space_{};
  Mirror mirror_;
  std::vector<Range> wanted_, told_;
};

}  // namespace rhea::hw::vfio
