// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: questions after what this program or this machine does not have. The answers are those that
// QEMU gives where it does not have it either, which management tools take as "none".
#include "accel/accelerator.h"
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

Result<Json> none(Context&, const Json&) { return Json::array(); }

Result<Json> query_sev(Context&, const Json&) {
  return Json{{"enabled", false}, {"api-major", 0}, {"api-minor", 0},   {"build-id", 0},
              {"policy", 0},      {"handle", 0},    {"state", "uninit"}};
}
Result<Json> query_sev_capabilities(Context& context, const Json&) {
  const auto& accel = context.machine.service<accel::AccelService>();
  if (!accel.has_vm() || accel.accelerator().short_name() != "kvm") return fail("KVM not enabled");
  return fail("SEV is not enabled in KVM");
}
Result<Json> query_sev_launch_measure(Context&, const Json&) {
  return fail("SEV launch measurement is not available");
}
Result<Json> no_sev(Context&, const Json&) { return fail("SEV is not enabled"); }
Result<Json> query_sgx(Context&, const Json&) {
  return fail("No EPC regions defined, SGX not available");
}
Result<Json> query_sgx_capabilities(Context&, const Json&) {
  return fail("SGX is not enabled in KVM");
}

Result<Json> query_replay(Context&, const Json&) { return Json{{"mode", "none"}, {"icount", 0}}; }

Result<Json> query_stats(Context&, const Json&) { return Json::array(); }

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "SevState",
                     .values = {"uninit", "launch-update", "launch-secret", "running",
                                "send-update", "receive-update"}}),
    RegisterQmpType({.name = "SevInfo",
                     .members = {{"enabled", "bool"},
                                 {"api-major", "uint8"},
                                 {"api-minor", "uint8"},
                                 {"build-id", "uint8"},
                                 {"policy", "uint32"},
                                 {"state", "SevState"},
                                 {"handle", "uint32"}}}),
    RegisterQmpType({.name = "ReplayInfo", .members = {{"mode", "str"}, {"icount", "int"}}}),
    RegisterQmpType({.name = "StatsTarget", .values = {"vm", "vcpu"}}),
    RegisterQmpType({.name = "StatsProvider", .values = {"kvm"}}),
    RegisterQmpType({.name = "StatsRequest",
                     .members = {{"provider", "StatsProvider"}, {"names", "[str]", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-tpm-models", .returns = "[str]", .run = &none}),
    RegisterQmpCommand({.name = "query-tpm-types", .returns = "[str]", .run = &none}),
    RegisterQmpCommand({.name = "query-tpm", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-memory-devices", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-acpi-ospm-status", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-pr-managers", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-vcpu-dirty-limit", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-jobs", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-block-jobs", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-block-exports", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-sev", .returns = "SevInfo", .run = &query_sev}),
    RegisterQmpCommand(
        {.name = "query-sev-capabilities", .returns = "any", .run = &query_sev_capabilities}),
    RegisterQmpCommand(
        {.name = "query-sev-launch-measure", .returns = "any", .run = &query_sev_launch_measure}),
    RegisterQmpCommand({.name = "query-sev-attestation-report",
                        .arguments = {{"mnonce", "str"}},
                        .returns = "any",
                        .run = &no_sev}),
    RegisterQmpCommand(
        {.name = "sev-inject-launch-secret",
         .arguments = {{"packet-header", "str"}, {"secret", "str"}, {"gpa", "uint64", true}},
         .run = &no_sev}),
    RegisterQmpCommand({.name = "query-sgx", .returns = "any", .run = &query_sgx}),
    RegisterQmpCommand(
        {.name = "query-sgx-capabilities", .returns = "any", .run = &query_sgx_capabilities}),
    RegisterQmpCommand({.name = "query-replay", .returns = "ReplayInfo", .run = &query_replay}),
    RegisterQmpCommand({.name = "query-stats",
                        .arguments = {{"target", "StatsTarget"},
                                      {"vcpus", "[str]", true},
                                      {"providers", "[StatsRequest]", true}},
                        .returns = "[any]",
                        .run = &query_stats}),
    RegisterQmpCommand({.name = "query-stats-schemas",
                        .arguments = {{"provider", "StatsProvider", true}},
                        .returns = "[any]",
                        .run = &none}),
};

}  // namespace
}  // namespace rhea::qmp
