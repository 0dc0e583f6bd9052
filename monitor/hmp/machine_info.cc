// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what QMP's queries say of memory, processors and what is not there, for people.
#include "monitor/hmp/command.h"
#include "rhea/hw/fw_cfg.h"
#include "rhea/hw/fw_cfg_files.h"
#include "rhea/qom/registry.h"
#include "rhea/util/rcu.h"
#include "softmmu/numa.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

std::string word(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Result<> memdev(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const Json& memory : TRY(context.call("query-memdev"))) {
    context.print("memory backend: {}\n", word(memory["id"]));
    context.print("  size:  {}\n", word(memory["size"]));
    for (const char* key : {"merge", "dump", "prealloc", "share", "reserve", "policy"})
      context.print("  {}: {}\n", key, word(memory[key]));
    context.print("  host nodes: \n");
  }
  context.print("\n");
  return {};
}

Result<> memory_size_summary(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json sizes = TRY(context.call("query-memory-size-summary"));
  context.print("base memory: {}\nplugged memory: {}\n", sizes["base-memory"].get<u64>(),
                sizes["plugged-memory"].get<u64>());
  return {};
}

Result<> hotpluggable_cpus(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  context.print("Hotpluggable CPUs:\n");
  for (const Json& cpu : TRY(context.call("query-hotpluggable-cpus"))) {
    context.print("  type: \"{}\"\n  vcpus_count: \"{}\"\n  qom_path: \"{}\"\n", word(cpu["type"]),
                  word(cpu["vcpus-count"]), word(cpu["qom-path"]));
    context.print("  CPUInstance Properties:\n");
    for (const char* key : {"node-id", "socket-id", "die-id", "core-id", "thread-id"})
      if (cpu["props"].contains(key))
        context.print("    {}: \"{}\"\n", key, word(cpu["props"][key]));
  }
  return {};
}

Result<> numa(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const auto& numa = context.machine.service<Numa>();
  context.print("{} nodes\n", numa.nodes().size());
  for (unsigned node = 0; node < numa.nodes().size(); ++node) {
    context.print("node {} cpus:", node);
    for (const auto& vcpu : context.machine.vcpus())
      if (numa.node_of_cpu(vcpu->index()) == node) context.print(" {}", vcpu->index());
    context.print("\nnode {} size: {} MB\n", node, numa.nodes()[node].memory / MiB);
    context.print("node {} plugged: 0 MB\n", node);
  }
  return {};
}

/// What firmware runs or reads as code and tables, among the files that it is handed.
bool is_rom_file(std::string_view name) {
  return name.starts_with("genroms/") || name.starts_with("vgaroms/") ||
         name.starts_with("etc/acpi/") || name == "etc/table-loader";
}

Result<> roms(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  if (const auto* fw_cfg = dynamic_cast<const FwCfgFiles*>(FwCfg::of(context.machine)))
    for (const auto& [name, size] : fw_cfg->files())
      if (is_rom_file(name))
        context.print("fw={} size={:#08x} name=\"{}\"\n", name, size,
                      name.substr(name.rfind('/') + 1));
  const RcuGuard guard;
  const Region* last = nullptr;
  for (const FlatRange& range : context.machine.memory().view().ranges()) {
    const Region* region = range.region;
    if (region->kind() != RegionKind::Rom || region == last) continue;
    context.print("addr={:016x} size={:#08x} mem=rom name=\"{}\"\n", range.first,
                  static_cast<u64>(region->size()), region->name());
    last = region;
  }
  return {};
}

Result<> ramblock(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  context.print("{:>24} {:>8}  {:>18}\n", "Block Name", "PSize", "Total");
  for (const auto& block : context.machine.map().ram_blocks())
    context.print("{:>24} {:>8}  {:#018x}\n", block->id(), "4 KiB", block->size());
  return {};
}

Result<> iothreads(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const Json& one : TRY(context.call("query-iothreads"))) {
    context.print("{}:\n", one["id"].get<std::string>());
    for (const char* number :
         {"thread-id", "poll-max-ns", "poll-grow", "poll-shrink", "aio-max-batch"})
      context.print("  {}={}\n", number == std::string_view("thread-id") ? "thread_id" : number,
                    one[number].get<i64>());
  }
  return {};
}

/// What a QMP query lists, one thing a line; nothing when there is none.
template <const char* const* Query>
Result<> listed(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const Json& entry : TRY(context.call(*Query))) context.print("{}\n", word(entry));
  return {};
}
constexpr const char* kMemoryDevices = "query-memory-devices";
constexpr const char* kTpm = "query-tpm";
constexpr const char* kBlockJobs = "query-block-jobs";

Result<> generation_id(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("query-vm-generation-id"));
  context.print("{}\n", answer["guid"].get<std::string>());
  return {};
}

Result<> block_jobs(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  if (TRY(context.call(kBlockJobs)).empty()) context.print("No active jobs\n");
  return {};
}

Result<> sev(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  if (!TRY(context.call("query-sev"))["enabled"].get<bool>()) context.print("SEV is not enabled\n");
  return {};
}

Result<> sgx(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  if (const auto answer = context.call("query-sgx"); !answer)
    context.print("{}\n", answer.error().message());
  return {};
}

Result<> replay(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  context.print("Record/replay is not active\n");
  return {};
}

// By what they plug into, as `-device help` has them, with those that only boards use.
Result<> qdm(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const TypeInfo* type : all_types()) {
    if (!type->is_a(Device::kName) || type->is_abstract) continue;
    context.print("name \"{}\", bus {}", type->name, type->bus.empty() ? "System" : type->bus);
    if (!type->help.empty()) context.print(", desc \"{}\"", type->help);
    context.print("{}\n", type->user_creatable ? "" : ", no-user");
  }
  return {};
}

const RegisterInfo infos[] = {
    RegisterInfo({"memdev", "", "show memory backends", &memdev}),
    RegisterInfo({"memory_size_summary", "",
                  "show the amount of initially allocated and present hotpluggable (if enabled) "
                  "memory in bytes",
                  &memory_size_summary}),
    RegisterInfo({"memory-devices", "", "show memory devices", &listed<&kMemoryDevices>}),
    RegisterInfo(
        {"hotpluggable-cpus", "", "show information about hotpluggable CPUs", &hotpluggable_cpus}),
    RegisterInfo({"iothreads", "", "show iothreads", &iothreads}),
    RegisterInfo({"numa", "", "show NUMA information", &numa}),
    RegisterInfo({"roms", "", "show roms", &roms}),
    RegisterInfo({"ramblock", "", "display system ramblock information", &ramblock}),
    RegisterInfo({"tpm", "", "show the TPM device", &listed<&kTpm>}),
    RegisterInfo(
        {"block-jobs", "", "show progress of ongoing block device operations", &block_jobs}),
    RegisterInfo({"vm-generation-id", "", "show Virtual Machine Generation ID", &generation_id}),
    RegisterInfo({"sev", "", "show SEV information", &sev}),
    RegisterInfo({"sgx", "", "show intel SGX information", &sgx}),
    RegisterInfo({"replay", "", "show record/replay information", &replay}),
    RegisterInfo({"qdm", "", "show qdev device model list", &qdm}),
};

}  // namespace
}  // namespace rhea::hmp
