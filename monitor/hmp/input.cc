// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: keys, the mouse, pictures of the screen.
#include "rhea/ui/input.h"

#include "monitor/hmp/command.h"

#include <algorithm>

namespace rhea::hmp {
namespace {

using qmp::Json;

constexpr std::size_t kMaxKeys = 16;
constexpr i64 kMaxStep = 10'000;

// "ctrl-alt-delete"; "<" is a name that QEMU takes, too.
Result<std::vector<KeyNumber>> parse_keys(std::string_view text) {
  std::vector<KeyNumber> keys;
  while (true) {
    const auto dash = text.find('-');
    const std::string_view name = text.substr(0, dash);
    const auto key = parse_key(name == "<" ? "less" : name);
    if (!key) return fail("invalid parameter: {}", name);
    if (keys.size() == kMaxKeys) return fail("too many keys");
    keys.push_back(*key);
    if (dash == std::string_view::npos) return keys;
    text.remove_prefix(dash + 1);
  }
}

Result<> sendkey(Context& context, Arguments& arguments) {
  const std::string text = TRY(arguments.text());
  const i64 hold = static_cast<i64>(TRY(arguments.optional_number()).value_or(100));
  TRY(arguments.end());
  auto keys = parse_keys(text);
  if (!keys) {
    context.print("{}\n", keys.error().message());
    return {};
  }
  if (hold < 0 || hold > 60'000) return fail("hold time {} is out of range (0..60000 ms)", hold);
  context.machine.service<InputHub>().send_keys(std::move(*keys), static_cast<int>(hold));
  return {};
}

Result<int> step(Arguments& arguments) {
  const i64 value = static_cast<i64>(TRY(arguments.number()));
  return static_cast<int>(std::clamp(value, -kMaxStep, kMaxStep));
}

// The first word is taken as text so that "-5 3" is not one expression.
Result<int> word_as_number(Arguments& arguments) {
  const std::string word = TRY(arguments.text());
  Arguments number("mouse_move", word, nullptr);
  auto value = step(number);
  if (!value) return arguments.wrong(value.error().message());
  return value;
}

Result<> mouse_move(Context& context, Arguments& arguments) {
  PointerEvent event;
  event.dx = TRY(word_as_number(arguments));
  event.dy = TRY(word_as_number(arguments));
  if (!arguments.at_end()) event.dz = TRY(word_as_number(arguments));
  TRY(arguments.end());
  auto& hub = context.machine.service<InputHub>();
  event.buttons = hub.buttons();
  hub.pointer(event);
  return {};
}

// Here 1 is the left, 2 the middle and 4 the right button.
Result<> mouse_button(Context& context, Arguments& arguments) {
  const u64 state = TRY(arguments.number());
  TRY(arguments.end());
  const u8 buttons = static_cast<u8>((state & 1) | (state >> 1 & 2) | (state << 1 & 4));
  context.machine.service<InputHub>().pointer({.dx = 0, .dy = 0, .dz = 0, .buttons = buttons});
  return {};
}

Result<> mouse_set(Context& context, Arguments& arguments) {
  const u64 number = TRY(arguments.number());
  TRY(arguments.end());
  return context.machine.service<InputHub>().choose(number);
}

Result<> mice(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json all = TRY(context.call("query-mice"));
  for (const Json& mouse : all)
    context.print("{} Mouse #{}: {}{}\n", mouse["current"].get<bool>() ? '*' : ' ',
                  mouse["index"].get<int>(), mouse["name"].get<std::string>(),
                  mouse["absolute"].get<bool>() ? " (absolute)" : "");
  if (all.empty()) context.print("No mouse devices connected\n");
  return {};
}

Result<> screendump(Context& context, Arguments& arguments) {
  Json request;
  std::optional<std::string> format = TRY(arguments.flag_text('f'));
  request["filename"] = TRY(arguments.text("filename"));
  if (!format) format = TRY(arguments.flag_text('f'));
  if (auto device = TRY(arguments.optional_text())) request["device"] = *device;
  if (const auto head = TRY(arguments.optional_number())) request["head"] = *head;
  TRY(arguments.end());
  if (format && *format != "ppm" && *format != "png")
    return fail("invalid parameter value: {}", *format);
  if (format) request["format"] = *format;
  TRY(context.call("screendump", request));
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand(
        {"sendkey", "keys [hold_ms]",
         "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)", &sendkey}),
    RegisterHmpCommand({"mouse_move", "dx dy [dz]", "send mouse move events", &mouse_move}),
    RegisterHmpCommand(
        {"mouse_button", "state", "change mouse button state (1=L, 2=M, 4=R)", &mouse_button}),
    RegisterHmpCommand(
        {"mouse_set", "index", "set which mouse device receives events", &mouse_set}),
    RegisterHmpCommand({"screendump", "filename [-f format] [device [head]]",
                        "save screen as image 'filename' in format png or ppm (the default)",
                        &screendump}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"mice", "", "show which guest mouse is receiving events", &mice}),
};

}  // namespace
}  // namespace rhea::hmp
