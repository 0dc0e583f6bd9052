// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: keys and pictures of the screen.
#include "rhea/ui/input.h"

#include "monitor/long_work.h"
#include "monitor/qmp/command.h"
#include "rhea/ui/console.h"

namespace rhea::qmp {
namespace {

constexpr int kMaxHoldMs = 60'000;
constexpr std::size_t kMaxKeys = 16;

Result<KeyNumber> key_of(const Json& key) {
  if (key["type"] == "number") {
    const u64 number = key["data"].get<u64>();
    if (number == 0 || number > 0xff)
      return fail("Parameter 'data' expects a key number, not {}", number);
    return static_cast<KeyNumber>(number);
  }
  const auto& name = text_argument(key, "data");
  auto number = parse_key(name);
  if (!number) return fail("Parameter 'data' does not accept value '{}'", name);
  return number;
}

Result<Json> send_key(Context& context, const Json& arguments) {
  std::vector<KeyNumber> keys;
  if (arguments["keys"].size() > kMaxKeys)
    return fail("Parameter 'keys' expects at most {} keys", kMaxKeys);
  for (const Json& key : arguments["keys"]) keys.push_back(TRY(key_of(key)));
  const i64 hold = argument<i64>(arguments, "hold-time", 100);
  if (hold < 0 || hold > kMaxHoldMs)
    return fail("Parameter 'hold-time' expects milliseconds up to {}", kMaxHoldMs);
  if (!keys.empty())
    context.machine.service<InputHub>().send_keys(std::move(keys), static_cast<int>(hold));
  return Json();
}

Result<Json> write(const ScreenPicture& picture, const std::string& path, ImageFormat format) {
  TRY(save_picture(picture, path, format));
  return Json();
}

Result<Json> screendump(Context& context, const Json& arguments) {
  const auto& consoles = context.machine.service<Consoles>().all();
  const u64 head = argument<u64>(arguments, "head", 0);
  if (arguments.contains("head") && !arguments.contains("device"))
    return fail("'head' must be specified together with 'device'");
  if (arguments.contains("device"))
    return fail("Device '{}' not found", text_argument(arguments, "device"));
  if (head >= consoles.size()) return fail("There is no console to take a screendump from");
  const bool png = arguments.contains("format") && text_argument(arguments, "format") == "png";
  auto picture =
      std::make_shared<const ScreenPicture>(take_picture(*consoles[head], context.machine.lock()));
  context.later = TRY(context.machine.service<monitor::LongWork>().start(
      text_argument(arguments, "filename"),
      [picture, path = text_argument(arguments, "filename"),
       format = png ? ImageFormat::Png : ImageFormat::Ppm](const std::stop_token&) {
        return write(*picture, path, format);
      }));
  return Json();
}

std::vector<std::string_view> key_codes() {
  std::vector<std::string_view> names;
  for (const KeyName& key : key_names()) names.push_back(key.name);
  return names;
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "ImageFormat", .values = {"ppm", "png"}}),
    RegisterQmpType({.name = "KeyValueKind", .values = {"number", "qcode"}}),
    RegisterQmpType({.name = "IntWrapper", .members = {{"data", "int"}}}),
    RegisterQmpType({.name = "QKeyCode", .values = key_codes()}),
    RegisterQmpType({.name = "QKeyCodeWrapper", .members = {{"data", "QKeyCode"}}}),
    RegisterQmpType({.name = "KeyValue",
                     .members = {{"type", "KeyValueKind"}},
                     .tag = "type",
                     .variants = {{"number", "IntWrapper"}, {"qcode", "QKeyCodeWrapper"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "send-key",
                        .arguments = {{"keys", "[KeyValue]"}, {"hold-time", "int", true}},
                        .run = &send_key}),
    RegisterQmpCommand({.name = "screendump",
                        .arguments = {{"filename", "str"},
                                      {"device", "str", true},
                                      {"head", "int", true},
                                      {"format", "ImageFormat", true}},
                        .run = &screendump}),
};

}  // namespace
}  // namespace rhea::qmp
