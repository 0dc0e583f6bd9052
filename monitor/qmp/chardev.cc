// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: character devices.
#include "chardev/backend.h"
#include "chardev/mux.h"
#include "chardev/ringbuf.h"
#include "monitor/qmp/chardev_backend.h"
#include "monitor/qmp/command.h"

#include <glib.h>

namespace rhea::qmp {
namespace {

constexpr u64 kMaxRead = 16 * MiB;

Result<Json> query_chardev(Context& context, const Json&) {
  Json list = Json::array();
  for (const Chardev* chardev : chardev::all_chardevs(context.machine))
    list.push_back({{"label", chardev->name()},
                    {"filename", chardev->filename()},
                    {"frontend-open", chardev->used()}});
  return list;
}

Result<Json> query_chardev_backends(Context&, const Json&) {
  Json list = Json::array();
  for (const chardev::Backend* backend : chardev::all_backends()) {
    list.push_back({{"name", backend->name}});
    if (!backend->alias.empty()) list.push_back({{"name", backend->alias}});
  }
  return list;
}

Result<chardev::RingChardev*> ring_argument(Context& context, const Json& arguments) {
  const auto& name = text_argument(arguments, "device");
  Chardev* found = find_chardev(context.machine, name);
  if (found == nullptr) return fail("Device '{}' not found", name);
  auto* ring = dynamic_cast<chardev::RingChardev*>(found);
  if (ring == nullptr) return fail("{} is not a ringbuf device", name);
  return ring;
}

bool wants_base64(const Json& arguments) {
  return arguments.contains("format") && text_argument(arguments, "format") == "base64";
}

Result<Json> ringbuf_read(Context& context, const Json& arguments) {
  chardev::RingChardev& ring = *TRY(ring_argument(context, arguments));
  if (arguments["size"].get<i64>() <= 0) return fail("size must be greater than zero");
  const std::string text = ring.take(std::min(number_argument(arguments, "size"), kMaxRead));
  if (!wants_base64(arguments)) return text;
  gchar* encoded = g_base64_encode(reinterpret_cast<const guchar*>(text.data()), text.size());
  Json result = encoded;
  g_free(encoded);
  return result;
}

Result<Json> ringbuf_write(Context& context, const Json& arguments) {
  chardev::RingChardev& ring = *TRY(ring_argument(context, arguments));
  std::string text = text_argument(arguments, "data");
  if (wants_base64(arguments) && !text.empty()) {
    gsize size = 0;
    g_base64_decode_inplace(text.data(), &size);
    text.resize(size);
  }
  ring.put({reinterpret_cast<const u8*>(text.data()), text.size()});
  return Json();
}

// What QEMU's ChardevReturn has: where a pseudo-terminal is.
Json made(const Chardev& chardev) {
  const std::string filename = chardev.filename();
  if (!filename.starts_with("pty:")) return Json::object();
  return {{"pty", filename.substr(4)}};
}

Result<Json> chardev_add(Context& context, const Json& arguments) {
  const auto& id = text_argument(arguments, "id");
  const Json& backend = arguments["backend"];
  if (text_argument(backend, "type") == "mux") {
    TRY(chardev::open_mux(context.machine, id, text_argument(backend["data"], "chardev")));
    return Json::object();
  }
  KeyValues options = TRY(chardev_options(context.client, backend));
  options.add("id", id);
  return made(
      *TRY(chardev::open_chardev(context.machine, std::move(options), chardev::Opening::Later)));
}

Result<Json> chardev_change(Context& context, const Json& arguments) {
  KeyValues options = TRY(chardev_options(context.client, arguments["backend"]));
  return made(*TRY(chardev::change_chardev(context.machine, text_argument(arguments, "id"),
                                           std::move(options))));
}

Result<Json> chardev_send_break(Context& context, const Json& arguments) {
  const auto& id = text_argument(arguments, "id");
  Chardev* found = find_chardev(context.machine, id);
  if (found == nullptr) return fail("Chardev '{}' not found", id);
  found->send_break();
  return Json();
}

Result<Json> chardev_remove(Context& context, const Json& arguments) {
  const auto& id = text_argument(arguments, "id");
  Chardev* found = find_chardev(context.machine, id);
  if (found == nullptr) return fail("Chardev '{}' not found", id);
  if (found->attached()) return fail("Chardev '{}' is busy", id);
  found->parent()->remove_child(*found);
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "ChardevInfo",
         .members = {{"label", "str"}, {"filename", "str"}, {"frontend-open", "bool"}}}),
    RegisterQmpType({.name = "ChardevReturn", .members = {{"pty", "str", true}}}),
    RegisterQmpType({.name = "ChardevBackendInfo", .members = {{"name", "str"}}}),
    RegisterQmpType({.name = "DataFormat", .values = {"utf8", "base64"}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand(
        {.name = "query-chardev", .returns = "[ChardevInfo]", .run = &query_chardev}),
    RegisterQmpCommand({.name = "query-chardev-backends",
                        .returns = "[ChardevBackendInfo]",
                        .run = &query_chardev_backends}),
    RegisterQmpCommand(
        {.name = "ringbuf-read",
         .arguments = {{"device", "str"}, {"size", "int"}, {"format", "DataFormat", true}},
         .returns = "str",
         .run = &ringbuf_read}),
    RegisterQmpCommand(
        {.name = "ringbuf-write",
         .arguments = {{"device", "str"}, {"data", "str"}, {"format", "DataFormat", true}},
         .run = &ringbuf_write}),
    RegisterQmpCommand({.name = "chardev-add",
                        .arguments = {{"id", "str"}, {"backend", "ChardevBackend"}},
                        .returns = "ChardevReturn",
                        .run = &chardev_add}),
    RegisterQmpCommand({.name = "chardev-change",
                        .arguments = {{"id", "str"}, {"backend", "ChardevBackend"}},
                        .returns = "ChardevReturn",
                        .run = &chardev_change}),
    RegisterQmpCommand(
        {.name = "chardev-send-break", .arguments = {{"id", "str"}}, .run = &chardev_send_break}),
    RegisterQmpCommand(
        {.name = "chardev-remove", .arguments = {{"id", "str"}}, .run = &chardev_remove}),
};

}  // namespace
}  // namespace rhea::qmp
