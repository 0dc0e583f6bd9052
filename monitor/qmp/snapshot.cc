// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the whole machine to a file and back. Rhea's own, hence the x-.
#include "monitor/monitors.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"
#include "monitor/snapshot/snapshot_job.h"
#include "rhea/util/option.h"

#include <array>

namespace rhea::qmp {
namespace {

using snapshot::SnapshotJob;

constexpr std::array<std::string_view, 3> kOperations = {"none", "save", "load"};
constexpr std::array<std::string_view, 5> kStatuses = {"none", "active", "completed", "failed",
                                                       "cancelled"};

Json state_of(const SnapshotJob& job) {
  return {{"operation", kOperations[static_cast<std::size_t>(job.operation())]},
          {"status", kStatuses[static_cast<std::size_t>(job.status())]},
          {"filename", job.file()},
          {"completed", job.completed()},
          {"total", job.total()}};
}

SnapshotJob& job_of(Machine& machine) {
  auto& job = machine.service<SnapshotJob>();
  job.on_end([&machine, &job](const Result<>& result) {
    Json data = {{"result", state_of(job)}};
    if (!result) data["error"] = result.error().message();
    machine.service<Monitors>().send_event("X_SNAPSHOT_COMPLETED", data);
  });
  return job;
}

using Start = Result<> (SnapshotJob::*)(const std::string&, SnapshotJob::Done);

Result<Json> start(Context& context, const Json& arguments, Start how) {
  SnapshotJob& job = job_of(context.machine);
  const std::string file = text_argument(arguments, "filename");
  if (argument(arguments, "detach", false)) {
    TRY((job.*how)(file, nullptr));
    return Json();
  }
  auto later = std::make_shared<Later>();
  TRY((job.*how)(file, [later](const Result<>& result) { later->finish_work(result); }));
  context.later = later;
  return Json();
}

Result<Json> save(Context& context, const Json& arguments) {
  return start(context, arguments, &SnapshotJob::save);
}
Result<Json> load(Context& context, const Json& arguments) {
  return start(context, arguments, &SnapshotJob::load);
}
Result<Json> cancel(Context& context, const Json&) {
  TRY(job_of(context.machine).cancel());
  return Json();
}
Result<Json> query(Context& context, const Json&) {
  return state_of(context.machine.service<SnapshotJob>());
}

Result<> load_at_start(Machine& machine, const std::string& file) {
  return machine.service<SnapshotJob>().load_at_start(file);
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "XSnapshotOperation", .values = {kOperations.begin(), kOperations.end()}}),
    RegisterQmpType({.name = "XSnapshotStatus", .values = {kStatuses.begin(), kStatuses.end()}}),
    RegisterQmpType({.name = "XSnapshotInfo",
                     .members = {{"operation", "XSnapshotOperation"},
                                 {"status", "XSnapshotStatus"},
                                 {"filename", "str"},
                                 {"completed", "int"},
                                 {"total", "int"}}}),
};
const RegisterQmpEvent ended{{.name = "X_SNAPSHOT_COMPLETED",
                              .data = {{"result", "XSnapshotInfo"}, {"error", "str", true}}}};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "x-snapshot-save",
                        .arguments = {{"filename", "str"}, {"detach", "bool", true}},
                        .run = &save}),
    RegisterQmpCommand({.name = "x-snapshot-load",
                        .arguments = {{"filename", "str"}, {"detach", "bool", true}},
                        .run = &load}),
    RegisterQmpCommand({.name = "x-snapshot-cancel", .run = &cancel}),
    RegisterQmpCommand({.name = "x-query-snapshot", .returns = "XSnapshotInfo", .run = &query}),
};
const RegisterOption option{{.name = "x-snapshot",
                             .argument = "file",
                             .help = "start as the machine that x-snapshot-save wrote to a file",
                             .phase = StartPhase::Monitors,
                             .apply = &load_at_start}};

}  // namespace
}  // namespace rhea::qmp
