// SPDX-License-Identifier: GPL-2.0-or-later
// -object memory-backend-ram, -file, -memfd: what of the host is behind a guest's memory.
#pragma once

#include "rhea/qom/registry.h"
#include "rhea/qom/user_object.h"
#include "rhea/softmmu/ram_block.h"

namespace rhea {

/// Says where memory comes from; whoever uses it takes it from there. Main thread.
class MemoryBackend : public UserObject {
 public:
  static constexpr std::string_view kName = "memory-backend";
  using Extendable = MemoryBackend;
  static void describe(Schema<MemoryBackend>& s);

  u64 size() const { return size_; }
  bool merge() const { return merge_; }
  bool dump() const { return dump_; }
  virtual RamOptions ram_options() const;
  /// One user at a time, for good.
  Result<> take();
  bool taken() const { return taken_; }
  bool can_be_deleted() const override { return !taken_; }

 protected:
  Result<> complete() override;

 private:
  u64 size_{};
  bool merge_{}, dump_{}, prealloc_{}, share_{};
  bool taken_{false};
};

}  // namespace rhea
