// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: file descriptors that clients pass.
#include "monitor/qmp/descriptors.h"

#include "rhea/util/fd_sets.h"

#include <cctype>
#include <optional>

namespace rhea::qmp {
namespace {

constexpr std::size_t kMaxNamed = 256;
constexpr std::size_t kMaxUnclaimed = 16;

// The last descriptor that came is the one that belongs to this command.
Result<Json> getfd(Context& context, const Json& arguments) {
  auto& received = context.client.received;
  if (received.empty()) return fail("No file descriptor supplied via SCM_RIGHTS");
  FileDescriptor fd = std::move(received.back());
  received.clear();
  const auto& name = text_argument(arguments, "fdname");
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0)
    return fail("Parameter 'fdname' expects a name not starting with a digit");
  if (context.client.named.size() >= kMaxNamed) return fail("too many named file descriptors");
  context.client.named.insert_or_assign(name, std::move(fd));
  return Json();
}

Result<Json> closefd(Context& context, const Json& arguments) {
  const auto& name = text_argument(arguments, "fdname");
  if (context.client.named.erase(name) == 0)
    return fail("File descriptor named '{}' not found", name);
  return Json();
}

Result<Json> add_fd(Context& context, const Json& arguments) {
  auto& received = context.client.received;
  if (received.empty()) return fail("No file descriptor supplied via SCM_RIGHTS");
  FileDescriptor fd = std::move(received.back());
  received.clear();
  const int number = fd.get();
  std::optional<i64> set;
  if (arguments.contains("fdset-id")) set = argument<i64>(arguments, "fdset-id", 0);
  std::optional<std::string> opaque;
  if (arguments.contains("opaque")) opaque = text_argument(arguments, "opaque");
  const i64 id = TRY(fd_sets::add(std::move(fd), set, std::move(opaque)));
  return Json{{"fdset-id", id}, {"fd", number}};
}

Result<Json> remove_fd(Context&, const Json& arguments) {
  std::optional<int> fd;
  if (arguments.contains("fd")) fd = static_cast<int>(argument<i64>(arguments, "fd", -1));
  TRY(fd_sets::remove(argument<i64>(arguments, "fdset-id", -1), fd));
  return Json();
}

Result<Json> query_fdsets(Context&, const Json&) {
  Json list = Json::array();
  for (const fd_sets::Set& set : fd_sets::list()) {
    Json members = Json::array();
    for (const fd_sets::Member& member : set.members) {
      Json entry = {{"fd", member.fd}};
      if (member.opaque) entry["opaque"] = *member.opaque;
      members.push_back(entry);
    }
    list.push_back({{"fds", std::move(members)}, {"fdset-id", set.id}});
  }
  return list;
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "AddfdInfo", .members = {{"fdset-id", "int"}, {"fd", "int"}}}),
    RegisterQmpType({.name = "FdsetFdInfo", .members = {{"fd", "int"}, {"opaque", "str", true}}}),
    RegisterQmpType(
        {.name = "FdsetInfo", .members = {{"fdset-id", "int"}, {"fds", "[FdsetFdInfo]"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "add-fd",
                        .arguments = {{"fdset-id", "int", true}, {"opaque", "str", true}},
                        .returns = "AddfdInfo",
                        .run = &add_fd}),
    RegisterQmpCommand({.name = "remove-fd",
                        .arguments = {{"fdset-id", "int"}, {"fd", "int", true}},
                        .run = &remove_fd}),
    RegisterQmpCommand({.name = "query-fdsets", .returns = "[FdsetInfo]", .run = &query_fdsets}),
    RegisterQmpCommand({.name = "getfd", .arguments = {{"fdname", "str"}}, .run = &getfd}),
    RegisterQmpCommand({.name = "closefd", .arguments = {{"fdname", "str"}}, .run = &closefd}),
};

}  // namespace

void keep(Client& client, std::vector<FileDescriptor> descriptors) {
  auto& kept = client.received;
  for (FileDescriptor& fd : descriptors) kept.push_back(std::move(fd));
  if (kept.size() > kMaxUnclaimed)
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kMaxUnclaimed));
}

}  // namespace rhea::qmp
