// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: character devices.
#include "chardev/backend.h"
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

Result<> ringbuf_write(Context& context, Arguments& arguments) {
  Json request;
  request["device"] = TRY(arguments.text());
  request["data"] = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("ringbuf-write", request));
  return {};
}

// Control characters are shown as codes, except line ends.
Result<> ringbuf_read(Context& context, Arguments& arguments) {
  Json request;
  request["device"] = TRY(arguments.text());
  request["size"] = static_cast<i64>(TRY(arguments.number()));
  TRY(arguments.end());
  const Json data = TRY(context.call("ringbuf-read", request));
  for (const char c : data.get<std::string>()) {
    const u8 byte = static_cast<u8>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f)
      context.print("\\u{:04X}", byte);
    else
      context.out += c;
  }
  context.print("\n");
  return {};
}

Result<> chardev_add(Context& context, Arguments& arguments) {
  const std::string text(arguments.rest());
  KeyValues options = TRY(KeyValues::parse(text, "backend", Words::QuietFlags));
  TRY(chardev::open_chardev(context.machine, std::move(options), chardev::Opening::Later));
  return {};
}

Result<> chardev_change(Context& context, Arguments& arguments) {
  const std::string id = TRY(arguments.text());
  const std::string text(arguments.rest());
  KeyValues options = TRY(KeyValues::parse(text, "backend", Words::QuietFlags));
  if (options.take("id")) return fail("the id is the first argument and cannot change");
  TRY(chardev::change_chardev(context.machine, id, std::move(options)));
  return {};
}

Result<> chardev_send_break(Context& context, Arguments& arguments) {
  const std::string id = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("chardev-send-break", {{"id", id}}));
  return {};
}

Result<> chardev_remove(Context& context, Arguments& arguments) {
  const std::string id = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("chardev-remove", {{"id", id}}));
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"ringbuf_write", "device data", "Write to a ring buffer character device",
                        &ringbuf_write}),
    RegisterHmpCommand(
        {"ringbuf_read", "device size", "Read from a ring buffer character device", &ringbuf_read}),
    RegisterHmpCommand({"chardev-add", "args", "add chardev", &chardev_add}),
    RegisterHmpCommand({"chardev-change", "id args", "change chardev", &chardev_change}),
    RegisterHmpCommand(
        {"chardev-send-break", "id", "send a break on chardev", &chardev_send_break}),
    RegisterHmpCommand({"chardev-remove", "id", "remove chardev", &chardev_remove}),
};

}  // namespace
}  // namespace rhea::hmp
