// SPDX-License-Identifier: GPL-2.0-or-later
// Nodes with names: what -blockdev and blockdev-add make, and who uses them.
#pragma once

#include "rhea/block/block_backend.h"
#include "rhea/util/keyval.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::block {

struct NamedNode {
  std::string name;
  std::shared_ptr<BlockNode> node;
  std::string child;     ///< the node that it is over, or empty
  bool implicit{false};  ///< made with the node over it, and goes with it
  bool at_work{false};   ///< something is done to it that nobody may come between
};

/// All nodes of a machine, children before those over them. Devices find a node as an object below
/// /drives, as they find drives.
class NamedNodes final : public MachineService {
 public:
  explicit NamedNodes(Machine& machine) : machine_(&machine) {}

  /// Options as -blockdev has them, flattened: driver, node-name, filename, file.driver, …
  Result<> add(KeyValues options);
  Result<> remove(std::string_view name);
  const std::vector<NamedNode>& all() const { return nodes_; }
  const NamedNode* find(std::string_view name) const;
  /// For a drive that will use it alone from now on (until it releases it).
  Result<std::shared_ptr<BlockNode>> acquire(std::string_view name, bool write);
  /// Nobody else may have it from now on; until then nobody had it.
  Result<> hold(std::string_view name);
  void let_go(std::string_view name);
  /// A name for a node that nobody named.
  std::string new_name() { return fmt::format("#block{:03}", ++last_number_); }

 private:
  Result<NamedNode> make(KeyValues options, bool root);
  Result<NamedNode> make_file(std::string_view driver, KeyValues& options);
  Result<NamedNode> make_raw(KeyValues& options);
  Result<std::string> take_child(KeyValues& options);
  Result<std::string> take_name(KeyValues& options, bool root);
  void forget(std::string_view name);
  bool is_used(const NamedNode& node) const;

  Machine* machine_;
  std::vector<NamedNode> nodes_;
  unsigned last_number_{0};
};

}  // namespace rhea::block
