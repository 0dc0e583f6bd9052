// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: keys, pointers, and pictures of the screen.
#include "rhea/ui/input.h"

#include "monitor/long_work.h"
#include "monitor/qmp/command.h"
#include "rhea/ui/console.h"

#include <algorithm>
#include <array>

namespace rhea::qmp {
namespace {

constexpr int kMaxHoldMs = 60'000;
constexpr std::size_t kMaxKeys = 16;
constexpr i64 kFarthestStep = 1 << 20;

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

// ---- Events as a user makes them

// A batch on its way: what moves and what is pressed together is told together.
class Batch {
 public:
  explicit Batch(InputHub& hub) : hub_(&hub) { begin(); }

  void key(KeyNumber number, bool down) {
    flush();
    hub_->key(number, down);
  }
  void button(std::string_view name, bool down) {
    if (name == "wheel-up" || name == "wheel-down") {
      if (down) event_.dz += name == "wheel-up" ? 1 : -1;
    } else {
      const u8 bit = static_cast<u8>(1U << (std::ranges::find(kButtons, name) - kButtons.begin()));
      // A click has both its ends.
      if ((changed_ & bit) != 0) flush();
      changed_ |= bit;
      event_.buttons = static_cast<u8>(down ? event_.buttons | bit : event_.buttons & ~bit);
    }
    something_ = true;
  }
  void move(bool is_x, i64 value) {
    int& counter = is_x ? event_.dx : event_.dy;
    counter = static_cast<int>(std::clamp(
        counter + std::clamp(value, -kFarthestStep, kFarthestStep), -kFarthestStep, kFarthestStep));
    something_ = true;
  }
  void put(bool is_x, i64 value) {
    if (!event_.place) event_.place = hub_->place();
    u16& coordinate = is_x ? event_.place->x : event_.place->y;
    coordinate = static_cast<u16>(std::clamp<i64>(value, 0, PointerPlace::kFarthest));
    something_ = true;
  }
  void flush() {
    if (something_) hub_->pointer(event_);
    begin();
  }

  static constexpr std::array<std::string_view, 5> kButtons = {"left", "right", "middle", "side",
                                                               "extra"};

 private:
  void begin() {
    event_ = {.buttons = hub_->buttons()};
    changed_ = 0;
    something_ = false;
  }

  InputHub* hub_;
  PointerEvent event_;
  u8 changed_{0};
  bool something_{false};
};

Result<> check_event(const InputHub& hub, const Json& event) {
  const std::string& type = text_argument(event, "type");
  const bool taken = type == "key"   ? hub.has_keyboard()
                     : type == "btn" ? hub.has_pointer()
                     : type == "rel" ? hub.has_relative_pointer()
                                     : hub.has_absolute_pointer();
  if (!taken) return fail("Input handler not found for event type {}", type);
  const Json& data = event["data"];
  if (type == "key") TRY(key_of(data["key"]));
  const bool sideways =
      type == "btn" && (data["button"] == "wheel-left" || data["button"] == "wheel-right");
  if (sideways) return fail("Parameter 'button': no pointer here has a wheel that goes sideways");
  return {};
}

Result<Json> input_send_event(Context& context, const Json& arguments) {
  if (arguments.contains("device"))
    return fail(ErrorClass::DeviceNotFound, "Device '{}' not found",
                text_argument(arguments, "device"));
  const RunState state = context.machine.run_state();
  if (state != RunState::Running && state != RunState::Suspended) return fail("VM not running");
  auto& hub = context.machine.service<InputHub>();
  for (const Json& event : arguments["events"]) TRY(check_event(hub, event));
  Batch batch(hub);
  for (const Json& event : arguments["events"]) {
    const std::string& type = text_argument(event, "type");
    const Json& data = event["data"];
    if (type == "key") {
      const KeyNumber number = TRY(key_of(data["key"]));
      batch.key(number, data["down"].get<bool>());
    } else if (type == "btn") {
      batch.button(text_argument(data, "button"), data["down"].get<bool>());
    } else {
      const bool is_x = text_argument(data, "axis") == "x";
      const i64 value = data["value"].get<i64>();
      type == "rel" ? batch.move(is_x, value) : batch.put(is_x, value);
    }
  }
  batch.flush();
  return Json();
}

Result<Json> query_mice(Context& context, const Json&) {
  Json list = Json::array();
  for (const auto& pointer : context.machine.service<InputHub>().pointers()) {
    Json entry = {{"name", pointer.name},
                  {"index", pointer.number},
                  {"current", pointer.current},
                  {"absolute", pointer.absolute}};
    list.insert(list.begin(), std::move(entry));
  }
  return list;
}

// ---- Pictures

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
    RegisterQmpType({.name = "InputButton",
                     .values = {"left", "middle", "right", "wheel-up", "wheel-down", "side",
                                "extra", "wheel-left", "wheel-right"}}),
    RegisterQmpType({.name = "InputAxis", .values = {"x", "y"}}),
    RegisterQmpType({.name = "InputKeyEvent", .members = {{"key", "KeyValue"}, {"down", "bool"}}}),
    RegisterQmpType(
        {.name = "InputBtnEvent", .members = {{"button", "InputButton"}, {"down", "bool"}}}),
    RegisterQmpType(
        {.name = "InputMoveEvent", .members = {{"axis", "InputAxis"}, {"value", "int"}}}),
    RegisterQmpType({.name = "InputKeyEventWrapper", .members = {{"data", "InputKeyEvent"}}}),
    RegisterQmpType({.name = "InputBtnEventWrapper", .members = {{"data", "InputBtnEvent"}}}),
    RegisterQmpType({.name = "InputMoveEventWrapper", .members = {{"data", "InputMoveEvent"}}}),
    RegisterQmpType({.name = "InputEventKind", .values = {"key", "btn", "rel", "abs"}}),
    RegisterQmpType({.name = "InputEvent",
                     .members = {{"type", "InputEventKind"}},
                     .tag = "type",
                     .variants = {{"key", "InputKeyEventWrapper"},
                                  {"btn", "InputBtnEventWrapper"},
                                  {"rel", "InputMoveEventWrapper"},
                                  {"abs", "InputMoveEventWrapper"}}}),
    RegisterQmpType({.name = "MouseInfo",
                     .members = {{"name", "str"},
                                 {"index", "int"},
                                 {"current", "bool"},
                                 {"absolute", "bool"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "send-key",
                        .arguments = {{"keys", "[KeyValue]"}, {"hold-time", "int", true}},
                        .run = &send_key}),
    RegisterQmpCommand(
        {.name = "input-send-event",
         .arguments = {{"device", "str", true}, {"head", "int", true}, {"events", "[InputEvent]"}},
         .run = &input_send_event}),
    RegisterQmpCommand({.name = "query-mice", .returns = "[MouseInfo]", .run = &query_mice}),
    RegisterQmpCommand({.name = "screendump",
                        .arguments = {{"filename", "str"},
                                      {"device", "str", true},
                                      {"head", "int", true},
                                      {"format", "ImageFormat", true}},
                        .run = &screendump}),
};

}  // namespace
}  // namespace rhea::qmp
