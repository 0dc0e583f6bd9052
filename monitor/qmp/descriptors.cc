// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: file descriptors that clients pass (SCM_RIGHTS).
#include "monitor/qmp/command.h"

#include <cctype>

namespace rhea::qmp {
namespace {

constexpr std::size_t kMaxNamed = 256;

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

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "getfd", .arguments = {{"fdname", "str"}}, .run = &getfd}),
    RegisterQmpCommand({.name = "closefd", .arguments = {{"fdname", "str"}}, .run = &closefd}),
};

}  // namespace
}  // namespace rhea::qmp
