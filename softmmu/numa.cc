// SPDX-License-Identifier: GPL-2.0-or-later
// -numa: nodes, distances and processors, and the rules by which they fit together.
#include "softmmu/numa.h"

#include "rhea/util/log.h"
#include "rhea/util/option.h"
#include "softmmu/cpu_place.h"
#include "softmmu/memory_backend.h"

#include <array>

namespace rhea {
namespace {

constexpr u64 kMostCpus = 65536, kPage = 4096;

Result<u64> take_number(KeyValues& values, std::string_view key, u64 most) {
  const auto text = values.take(key);
  if (!text) return fail("Parameter '{}' is missing", key);
  auto number = parse_unsigned(*text, {.min = 0, .max = most}, false);
  if (!number) return std::unexpected(std::move(number).error().within(key));
  return *number;
}

/// "3" or "0-7".
Result<std::pair<unsigned, unsigned>> parse_range(const std::string& text) {
  const auto dash = text.find('-');
  const auto number = [&](const std::string& part) -> Result<unsigned> {
    auto value = parse_unsigned(part, {.min = 0, .max = kMostCpus - 1}, false);
    if (!value)
      return fail("Parameter 'cpus' expects a CPU's number or range of them, not '{}'", text);
    return static_cast<unsigned>(*value);
  };
  const unsigned first = TRY(number(text.substr(0, dash)));
  const unsigned last = dash == std::string::npos ? first : TRY(number(text.substr(dash + 1)));
  if (last < first)
    return fail("Parameter 'cpus' expects a CPU's number or range of them, not '{}'", text);
  return std::pair(first, last);
}

std::string describe(const MachineConfig& config, unsigned index) {
  const CpuPlace place = place_of(config, index);
  const std::string die = config.dies > 1 ? fmt::format("die-id: {}, ", place.die) : "";
  return fmt::format("CPU {} [socket-id: {}, {}core-id: {}, thread-id: {}]", index, place.socket,
                     die, place.core, place.thread);
}

Result<> numa_option(Machine& machine, const std::string& text) {
  return machine.service<Numa>().add(text);
}

const RegisterOption option{
    {.name = "numa",
     .argument = "node|dist|cpu[,nodeid=n][,cpus=first[-last]][,memdev=id|,mem=size][,src=][,dst=]"
                 "[,val=][,node-id=][,socket-id=][,die-id=][,core-id=][,thread-id=]",
     .help = "a node of memory and processors, the distance of two, the node of a processor",
     .phase = StartPhase::Config,
     .apply = &numa_option}};

}  // namespace

Result<> Numa::add(const std::string& text) {
  KeyValues values = TRY(KeyValues::parse(text, "type"));
  const std::string type = values.take("type").value_or("");
  if (type == "hmat-lb" || type == "hmat-cache")
    return fail("-numa {}: QEMU has this; Rhea has not yet: there is no HMAT, use -numa dist",
                type);
  if (type.empty()) return fail("-numa {}: Parameter 'type' is missing", text);
  if (type != "node" && type != "dist" && type != "cpu")
    return fail(
        "-numa {}: Parameter 'type' does not accept value '{}': node, dist and cpu are there", text,
        type);
  values.add("type", type);
  requests_.push_back({.text = text, .values = std::move(values)});
  return {};
}

Result<> Numa::settle(bool memory_by_size) {
  for (const Request& request : requests_) {
    KeyValues values = request.values;
    const std::string type = *values.take("type");
    auto done = type == "node"   ? add_node(std::move(values), memory_by_size)
                : type == "dist" ? add_distance(std::move(values))
                                 : add_cpu(std::move(values));
    if (!done) return std::unexpected(std::move(done).error().within("-numa " + request.text));
  }
  if (requests_.empty()) return {};
  TRY(finish_nodes());
  TRY(finish_distances());
  finish_cpus();
  return {};
}

Result<> Numa::add_node(KeyValues values, bool memory_by_size) {
  u64 number = declared_.size();
  if (values.find("nodeid") != nullptr) number = TRY(take_number(values, "nodeid", 0xffff));
  if (number >= kMostNodes) return fail("Max number of NUMA nodes reached: {}", number);
  if (values.find("initiator") != nullptr)
    return fail("initiator=: QEMU has this; Rhea has not yet: there is no HMAT, leave it out");
  const auto node = static_cast<unsigned>(number);
  if (declared_.contains(node)) return fail("Duplicate NUMA nodeid: {}", node);
  const auto all = values.all();
  for (const auto& [key, text] : all) {
    if (key != "cpus") continue;
    const auto [first, last] = TRY(parse_range(text));
    for (unsigned cpu = first; cpu <= last; ++cpu) TRY(put_cpu(cpu, node));
  }
  values.take("cpus");
  Declared made;
  TRY(add_memory(values, memory_by_size, made));
  if (!values.empty()) return fail("Invalid parameter '{}'", values.all().front().first);
  declared_.emplace(node, std::move(made));
  return {};
}

Result<> Numa::add_memory(KeyValues& values, bool memory_by_size, Declared& node) {
  const auto size = values.take("mem"), backend = values.take("memdev");
  bool sizes = size.has_value(), backends = backend.has_value();
  for (const auto& [number, other] : declared_) {
    sizes |= other.by_size;
    backends |= !other.backend.empty();
  }
  if (sizes && backends)
    return fail("numa configuration should use either mem= or memdev=,mixing both is not allowed");
  if (size) {
    if (!memory_by_size)
      return fail(
          "Parameter -numa node,mem is not supported by this machine type: use -numa "
          "node,memdev instead");
    auto bytes = parse_size(*size, MiB);
    if (!bytes) return std::unexpected(std::move(bytes).error().within("mem"));
    node.memory = *bytes;
    node.by_size = true;
    report_warning("Parameter -numa node,mem is deprecated, use -numa node,memdev instead");
  }
  if (backend) {
    auto* object =
        dynamic_cast<MemoryBackend*>(machine_->container(MemoryBackend::kLinkRoot).child(*backend));
    if (object == nullptr)
      return fail("memdev={}: there is no such -object memory-backend-...", *backend);
    if (object->size() % kPage != 0)
      return fail("memdev={}: its size of {} bytes is no multiple of 4 KiB", *backend,
                  object->size());
    TRY(object->take());
    node.memory = object->size();
    node.backend = *backend;
  }
  return {};
}

Result<> Numa::add_distance(KeyValues values) {
  const u64 from = TRY(take_number(values, "src", 0xffff));
  const u64 to = TRY(take_number(values, "dst", 0xffff));
  const u64 value = TRY(take_number(values, "val", 0xff));
  if (!values.empty()) return fail("Invalid parameter '{}'", values.all().front().first);
  for (const auto& [name, node] : {std::pair("src", from), std::pair("dst", to)})
    if (node >= kMostNodes)
      return fail("Parameter '{}' expects an integer between 0 and {}", name, kMostNodes - 1);
  const auto a = static_cast<unsigned>(from), b = static_cast<unsigned>(to);
  if (!declared_.contains(a) || !declared_.contains(b))
    return fail(
        "Source/Destination NUMA node is missing. Please use '-numa node' option to declare "
        "it first.");
  if (value < kNear)
    return fail("NUMA distance ({}) is invalid, it shouldn't be less than {}.", value, kNear);
  if (a == b && value != kNear) return fail("Local distance of node {} should be {}.", a, kNear);
  distances_[{a, b}] = static_cast<u8>(value);
  return {};
}

// A processor is named by as many of its numbers as it takes: a socket's number names all in it.
Result<> Numa::add_cpu(KeyValues values) {
  constexpr std::array<std::string_view, 4> kLevels = {"socket-id", "die-id", "core-id",
                                                       "thread-id"};
  if (values.find("node-id") == nullptr) return fail("Missing mandatory node-id property");
  const u64 number = TRY(take_number(values, "node-id", 0xffff));
  const auto node = static_cast<unsigned>(number);
  if (!declared_.contains(node))
    return fail(
        "Invalid node-id={}, NUMA node must be defined with -numa node,nodeid=ID before it's "
        "used with -numa cpu,node-id=ID",
        number);
  std::array<std::optional<u64>, 4> wanted;
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (values.find(kLevels[i]) != nullptr)
      wanted[i] = TRY(take_number(values, kLevels[i], ~u32{0}));
  if (!values.empty()) return fail("Invalid parameter '{}'", values.all().front().first);
  if (wanted[1] && machine_->config.dies <= 1) return fail("die-id is not supported");
  bool matched = false;
  for (unsigned cpu = 0; cpu < machine_->config.max_cpus; ++cpu) {
    const CpuPlace place = place_of(machine_->config, cpu);
    const std::array<unsigned, 4> numbers = {place.socket, place.die, place.core, place.thread};
    bool same = true;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      same &= wanted[i].value_or(numbers[i]) == numbers[i];
    if (!same) continue;
    TRY(put_cpu(cpu, node));
    matched = true;
  }
  if (!matched) return fail("no match found");
  return {};
}

Result<> Numa::put_cpu(unsigned index, unsigned node) {
  if (index >= machine_->config.max_cpus)
    return fail("CPU index ({}) should be smaller than maxcpus ({})", index,
                machine_->config.max_cpus);
  const auto [at, fresh] = placed_.emplace(index, node);
  if (!fresh && at->second != node)
    return fail("CPU is already assigned to node-id: {}", at->second);
  return {};
}

// Highest first, to make mistakes easy to see.
Result<> Numa::finish_nodes() {
  const unsigned count = declared_.empty() ? 0 : declared_.rbegin()->first + 1;
  for (unsigned node = count; node-- > 0;)
    if (!declared_.contains(node)) return fail("-numa: Node ID missing: {}", node);
  for (const auto& [number, node] : declared_) nodes_.push_back(node);
  return {};
}

// Tables go both ways: what is given in one direction alone counts for both.
Result<> Numa::finish_distances() {
  if (distances_.empty()) return {};
  const auto count = static_cast<unsigned>(nodes_.size());
  bool differs = false;
  for (unsigned a = 0; a < count; ++a)
    for (unsigned b = a + 1; b < count; ++b) {
      const auto there = distances_.find({a, b}), back = distances_.find({b, a});
      if (there == distances_.end() && back == distances_.end())
        return fail(
            "-numa dist: The distance between node {} and {} is missing, at least one "
            "distance value between each nodes should be provided.",
            a, b);
      differs |=
          there != distances_.end() && back != distances_.end() && there->second != back->second;
    }
  for (unsigned a = 0; a < count; ++a)
    for (unsigned b = 0; b < count; ++b) {
      if (distances_.contains({a, b})) continue;
      if (a != b && differs)
        return fail(
            "-numa dist: At least one asymmetrical pair of distances is given, please "
            "provide distances for both directions of all node pairs.");
      distances_[{a, b}] = a == b ? kNear : distances_[{b, a}];
    }
  return {};
}

// Where no option names a processor each socket is a node's; else those left over are node 0's.
void Numa::finish_cpus() {
  if (nodes_.empty()) return;
  const MachineConfig& config = machine_->config;
  std::string left_over;
  for (unsigned cpu = 0; cpu < config.max_cpus; ++cpu) {
    const auto placed = placed_.find(cpu);
    if (placed != placed_.end()) {
      cpus_.push_back(placed->second);
    } else if (placed_.empty()) {
      cpus_.push_back(place_of(config, cpu).socket % static_cast<unsigned>(nodes_.size()));
    } else {
      cpus_.push_back(0);
      left_over += (left_over.empty() ? "" : ", ") + describe(config, cpu);
    }
  }
  if (left_over.empty()) return;
  report_warning(fmt::format("CPU(s) not present in any NUMA nodes: {}", left_over));
  report_warning(
      "All CPU(s) up to maxcpus should be described in NUMA config, ability to start up "
      "with partial NUMA mappings is obsoleted and will be removed in future");
}

Result<> Numa::check_memory(u64 ram_size) const {
  if (nodes_.empty()) return {};
  u64 total = 0;
  for (const NumaNode& node : nodes_) total += node.memory;
  if (total != ram_size)
    return fail("-numa: total memory for NUMA nodes ({:#x}) should equal RAM size ({:#x})", total,
                ram_size);
  return {};
}

std::optional<u8> Numa::distance(unsigned from, unsigned to) const {
  const auto found = distances_.find({from, to});
  return found == distances_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace rhea
