// SPDX-License-Identifier: GPL-2.0-or-later
// -numa: which memory and processors lie near each other.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rhea {

/// A node of the machine.
struct NumaNode {
  u64 memory{};         ///< bytes
  std::string backend;  ///< id of the -object memory-backend-… that it is; empty: a piece of all
};

/// What all -numa options together say. Main thread.
class Numa final : public MachineService {
 public:
  static constexpr unsigned kMostNodes = 128;
  static constexpr u8 kNear = 10, kUsual = 20;  ///< distances within a node and without -numa dist

  explicit Numa(Machine& machine) : machine_(&machine) {}

  /// Takes an option's text; what it means together with -smp and -object is settled later.
  Result<> add(const std::string& text);
  bool wanted() const { return !requests_.empty(); }
  /// After -smp: makes nodes of the options, in their order, and gives every processor one.
  /// `memory_by_size`: the board takes -numa node,mem=. Errors name the option.
  Result<> settle(bool memory_by_size);
  /// Whether the nodes' memory is the machine's.
  Result<> check_memory(u64 ram_size) const;

  /// By number; empty without -numa.
  const std::vector<NumaNode>& nodes() const { return nodes_; }
  bool has_backends() const { return !nodes_.empty() && !nodes_.front().backend.empty(); }
  unsigned node_of_cpu(unsigned index) const { return index < cpus_.size() ? cpus_[index] : 0; }
  /// From -numa dist; nothing without one.
  std::optional<u8> distance(unsigned from, unsigned to) const;

 private:
  struct Request {
    std::string text;
    KeyValues values;
  };
  struct Declared : NumaNode {
    bool by_size{false};
  };

  Result<> add_node(KeyValues values, bool memory_by_size);
  Result<> add_memory(KeyValues& values, bool memory_by_size, Declared& node);
  Result<> add_distance(KeyValues values);
  Result<> add_cpu(KeyValues values);
  Result<> put_cpu(unsigned index, unsigned node);
  Result<> finish_nodes();
  Result<> finish_distances();
  void finish_cpus();

  Machine* machine_;
  std::vector<Request> requests_;
  std::map<unsigned, Declared> declared_;
  std::map<unsigned, unsigned> placed_;  ///< processors that options name
  std::map<std::pair<unsigned, unsigned>, u8> distances_;
  std::vector<NumaNode> nodes_;
  std::vector<unsigned> cpus_;
};

}  // namespace rhea
