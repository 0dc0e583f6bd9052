// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what this program is, and what machine runs in it.
#include "accel/accelerator.h"
#include "accel/cpu_device.h"
#include "hw/i386/board.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/session.h"
#include "softmmu/cpu_place.h"
#include "softmmu/iothread.h"
#include "softmmu/numa.h"
#include "softmmu/uuid_option.h"

namespace rhea::qmp {
namespace {

Result<Json> query_version(Context&, const Json&) { return version(); }

Result<Json> query_name(Context& context, const Json&) {
  Json result = Json::object();
  if (!context.machine.config.name.empty()) result["name"] = context.machine.config.name;
  return result;
}

Result<Json> query_uuid(Context& context, const Json&) {
  return Json{{"UUID", context.machine.service<MachineUuid>().text()}};
}

Result<Json> query_target(Context&, const Json&) { return Json{{"arch", "x86_64"}}; }

Result<Json> query_kvm(Context& context, const Json&) {
  const auto& accel = context.machine.service<accel::AccelService>();
  const bool enabled = accel.has_vm() && accel.accelerator().short_name() == "kvm";
  return Json{{"enabled", enabled}, {"present", find_type("kvm-accel") != nullptr}};
}

Json topology_of(Machine& machine, unsigned index) {
  const CpuPlace place = place_of(machine.config, index);
  Json props = {{"thread-id", place.thread}, {"core-id", place.core}, {"socket-id", place.socket}};
  if (machine.config.dies > 1) props["die-id"] = place.die;
  const auto& numa = machine.service<Numa>();
  if (!numa.nodes().empty()) props["node-id"] = numa.node_of_cpu(index);
  return props;
}

Result<Json> query_cpus_fast(Context& context, const Json&) {
  const auto& accel = context.machine.service<accel::AccelService>();
  Json list = Json::array();
  for (const auto& vcpu : context.machine.vcpus())
    list.push_back({{"cpu-index", vcpu->index()},
                    {"qom-path", accel.cpu_device(vcpu->index()).path()},
                    {"thread-id", vcpu->thread_id()},
                    {"target", "x86_64"},
                    {"props", topology_of(context.machine, vcpu->index())}});
  return list;
}

// Those that are there; none can be added or taken out.
Result<Json> query_hotpluggable_cpus(Context& context, const Json&) {
  const auto& accel = context.machine.service<accel::AccelService>();
  Json list = Json::array();
  for (unsigned index = 0; index < accel.vcpu_count(); ++index) {
    const accel::CpuDevice& device = accel.cpu_device(index);
    list.push_back({{"type", device.type().name},
                    {"vcpus-count", 1},
                    {"props", topology_of(context.machine, index)},
                    {"qom-path", device.path()}});
  }
  return list;
}

Result<Json> query_iothreads(Context& context, const Json&) {
  Json list = Json::array();
  for (const auto& object : context.machine.container(UserObject::kLinkRoot).children())
    if (const auto* io = dynamic_cast<const IoThreadObject*>(object.get())) {
      const IoThreadObject::Polling polling = io->polling();
      list.push_back({{"id", io->name()},
                      {"thread-id", (*io->thread())->id()},
                      {"poll-max-ns", polling.max_ns},
                      {"poll-grow", polling.grow},
                      {"poll-shrink", polling.shrink},
                      {"aio-max-batch", polling.batch}});
    }
  return list;
}

Json machine_info(const hw::BoardInfo& board) {
  const bool is_pc = board.max_cpus > 1;
  Json info = {{"name", board.name},
               {"cpu-max", board.max_cpus},
               {"hotpluggable-cpus", false},
               {"numa-mem-supported", board.numa_mem},
               {"deprecated", board.deprecated},
               {"default-ram-id", is_pc ? "pc.ram" : "ram"}};
  if (is_pc) info["default-cpu-type"] = "qemu64-x86_64-cpu";
  if (!board.alias.empty()) info["alias"] = board.alias;
  if (board.is_default) info["is-default"] = true;
  return info;
}

Result<Json> query_machines(Context&, const Json&) {
  Json list = Json::array();
  for (const hw::BoardInfo& board : hw::boards()) list.push_back(machine_info(board));
  return list;
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "VersionTriple",
                     .members = {{"major", "int"}, {"minor", "int"}, {"micro", "int"}}}),
    RegisterQmpType(
        {.name = "VersionInfo", .members = {{"qemu", "VersionTriple"}, {"package", "str"}}}),
    RegisterQmpType({.name = "NameInfo", .members = {{"name", "str", true}}}),
    RegisterQmpType({.name = "UuidInfo", .members = {{"UUID", "str"}}}),
    RegisterQmpType({.name = "TargetInfo", .members = {{"arch", "str"}}}),
    RegisterQmpType({.name = "KvmInfo", .members = {{"enabled", "bool"}, {"present", "bool"}}}),
    RegisterQmpType({.name = "CpuInstanceProperties",
                     .members = {{"node-id", "int", true},
                                 {"socket-id", "int", true},
                                 {"die-id", "int", true},
                                 {"core-id", "int", true},
                                 {"thread-id", "int", true}}}),
    RegisterQmpType({.name = "CpuInfoFast",
                     .members = {{"cpu-index", "int"},
                                 {"qom-path", "str"},
                                 {"thread-id", "int"},
                                 {"props", "CpuInstanceProperties", true},
                                 {"target", "str"}}}),
    RegisterQmpType({.name = "HotpluggableCPU",
                     .members = {{"type", "str"},
                                 {"vcpus-count", "int"},
                                 {"props", "CpuInstanceProperties"},
                                 {"qom-path", "str", true}}}),
    RegisterQmpType({.name = "MachineInfo",
                     .members = {{"name", "str"},
                                 {"alias", "str", true},
                                 {"is-default", "bool", true},
                                 {"cpu-max", "int"},
                                 {"hotpluggable-cpus", "bool"},
                                 {"numa-mem-supported", "bool"},
                                 {"deprecated", "bool"},
                                 {"default-cpu-type", "str", true},
                                 {"default-ram-id", "str", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-version", .returns = "VersionInfo", .run = &query_version}),
    RegisterQmpCommand({.name = "query-name", .returns = "NameInfo", .run = &query_name}),
    RegisterQmpCommand({.name = "query-uuid", .returns = "UuidInfo", .run = &query_uuid}),
    RegisterQmpCommand({.name = "query-target", .returns = "TargetInfo", .run = &query_target}),
    RegisterQmpCommand({.name = "query-kvm", .returns = "KvmInfo", .run = &query_kvm}),
    RegisterQmpCommand(
        {.name = "query-cpus-fast", .returns = "[CpuInfoFast]", .run = &query_cpus_fast}),
    RegisterQmpCommand({.name = "query-hotpluggable-cpus",
                        .returns = "[HotpluggableCPU]",
                        .run = &query_hotpluggable_cpus}),
    RegisterQmpCommand({.name = "query-iothreads", .returns = "[any]", .run = &query_iothreads}),
    RegisterQmpCommand(
        {.name = "query-machines", .returns = "[MachineInfo]", .run = &query_machines}),
};

}  // namespace
}  // namespace rhea::qmp
