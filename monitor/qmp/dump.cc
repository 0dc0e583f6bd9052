// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: dumps of guest memory.
#include "monitor/dump/dump_job.h"
#include "monitor/long_work.h"
#include "monitor/monitors.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"
#include "monitor/snapshot/snapshot_job.h"
#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace rhea::qmp {
namespace {

using dump::DumpJob;

constexpr std::array<std::string_view, 4> kStatusNames = {"none", "active", "completed", "failed"};

Json status_of(const DumpJob& job) {
  return {{"status", kStatusNames[static_cast<std::size_t>(job.status())]},
          {"completed", job.completed()},
          {"total", job.total()}};
}

Result<> take_descriptor(Client& client, const std::string& name, dump::Request& request) {
  const auto it = client.named.find(name);
  if (it == client.named.end()) return fail("File descriptor named '{}' has not been found", name);
  request.to = std::move(it->second);
  client.named.erase(it);
  return {};
}

Result<> open_file(const std::string& path, dump::Request& request) {
  request.to =
      TRY(open_host_file(path, {.flags = O_WRONLY | O_CREAT | O_TRUNC, .mode = S_IRUSR | S_IWUSR}));
  if (kind_of_file(request.to.get()) == FileKinds::Regular) request.file = path;
  return {};
}

Result<> choose_format(const Json& arguments, dump::Request& request) {
  const std::string format = argument<std::string>(arguments, "format", "elf");
  if (format != "elf" && (request.paging || request.filter))
    return fail("kdump-compressed format doesn't support paging or filter");
  if (format != "elf" && format != "kdump-zlib") return fail("{} is not available now", format);
  if (format == "kdump-zlib") request.format = dump::Format::KdumpZlib;
  return {};
}

Result<dump::Request> request_of(const Json& arguments) {
  dump::Request request;
  request.paging = arguments["paging"].get<bool>();
  const bool begin = arguments.contains("begin"), length = arguments.contains("length");
  if (begin && !length) return fail("Parameter 'length' is missing");
  if (length && !begin) return fail("Parameter 'begin' is missing");
  if (begin) {
    request.filter = {.begin = number_argument(arguments, "begin"),
                      .length = number_argument(arguments, "length")};
    if (request.filter->length > ~u64{0} - request.filter->begin)
      return fail("Parameter 'length' expects no more than there is behind 'begin'");
  }
  TRY(choose_format(arguments, request));
  return request;
}

DumpJob& job_of(Machine& machine) {
  auto& job = machine.service<DumpJob>();
  job.on_end([&machine, &job](const Result<>& result) {
    Json data = {{"result", status_of(job)}};
    if (!result) data["error"] = result.error().message();
    machine.service<Monitors>().send_event("DUMP_COMPLETED", data);
  });
  return job;
}

/// A request whose file may have to be opened, and who hears of its end.
struct Order {
  dump::Request request;
  bool detached{};
  std::shared_ptr<Later> answer = std::make_shared<Later>();
};

void begin(Machine& machine, Order& order) {
  dump::DumpJob::Done done;
  if (!order.detached)
    done = [answer = order.answer](const Result<>& result) { answer->finish_work(result); };
  const std::string file = order.request.file;
  const auto begun = job_of(machine).start(std::move(order.request), std::move(done));
  if (!begun && !file.empty()) ::unlink(file.c_str());
  if (!begun || order.detached) order.answer->finish_work(begun);
}

Result<Json> dump_guest_memory(Context& context, const Json& arguments) {
  Machine& machine = context.machine;
  DumpJob& job = job_of(machine);
  TRY(job.need_none());
  if (machine.service<snapshot::SnapshotJob>().active())
    return fail("a snapshot is being saved or loaded");
  auto order = std::make_shared<Order>();
  order->request = TRY(request_of(arguments));
  order->detached = argument(arguments, "detach", false);
  const std::string& protocol = text_argument(arguments, "protocol");
  if (protocol.starts_with("fd:")) {
    TRY(take_descriptor(context.client, protocol.substr(3), order->request));
    context.later = order->answer;
    begin(machine, *order);
    return Json();
  }
  if (!protocol.starts_with("file:")) return fail("Invalid parameter 'protocol'");
  const auto open = [order, path = protocol.substr(5)](const std::stop_token&) -> Result<Json> {
    TRY(open_file(path, order->request));
    return Json();
  };
  const auto opened = TRY(machine.service<monitor::LongWork>().start(protocol.substr(5), open));
  job.set_opening(true);
  opened->on_finish([&machine, &job, order](const Result<Json>& result) {
    job.set_opening(false);
    if (!result) return order->answer->finish(result);
    begin(machine, *order);
  });
  context.later = order->answer;
  return Json();
}

Result<Json> query_dump(Context& context, const Json&) {
  return status_of(context.machine.service<DumpJob>());
}

Result<Json> query_capability(Context&, const Json&) {
  return Json{{"formats", {"elf", "kdump-zlib"}}};
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "DumpGuestMemoryFormat",
                     .values = {"elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"}}),
    RegisterQmpType({.name = "DumpStatus", .values = {kStatusNames.begin(), kStatusNames.end()}}),
    RegisterQmpType(
        {.name = "DumpQueryResult",
         .members = {{"status", "DumpStatus"}, {"completed", "int"}, {"total", "int"}}}),
    RegisterQmpType(
        {.name = "DumpGuestMemoryCapability", .members = {{"formats", "[DumpGuestMemoryFormat]"}}}),
};
const RegisterQmpEvent completed{
    {.name = "DUMP_COMPLETED", .data = {{"result", "DumpQueryResult"}, {"error", "str", true}}}};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "dump-guest-memory",
                        .arguments = {{"paging", "bool"},
                                      {"protocol", "str"},
                                      {"detach", "bool", true},
                                      {"begin", "int", true},
                                      {"length", "int", true},
                                      {"format", "DumpGuestMemoryFormat", true}},
                        .run = &dump_guest_memory}),
    RegisterQmpCommand({.name = "query-dump", .returns = "DumpQueryResult", .run = &query_dump}),
    RegisterQmpCommand({.name = "query-dump-guest-memory-capability",
                        .returns = "DumpGuestMemoryCapability",
                        .run = &query_capability}),
};

}  // namespace
}  // namespace rhea::qmp
