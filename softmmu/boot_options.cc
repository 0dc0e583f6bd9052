// SPDX-License-Identifier: GPL-2.0-or-later
// -boot.
#include "softmmu/boot_options.h"

#include "rhea/util/option.h"

namespace rhea {
namespace {

Result<> check_order(const std::string& order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] < 'a' || order[i] > 'p') return fail("Invalid boot device '{}'", order[i]);
    if (order.find(order[i], i + 1) != std::string::npos)
      return fail("Boot device '{}' was given twice", order[i]);
  }
  return {};
}

Result<std::optional<i64>> take_number(KeyValues& values, std::string_view key, i64 least) {
  const auto text = values.take(key);
  if (!text) return std::nullopt;
  auto number = parse_signed(*text, {.min = least, .max = 0xffff});
  if (!number) return std::unexpected(std::move(number).error().within(key));
  return *number;
}

Result<> boot(Machine& machine, const std::string& text) {
  auto added =
      machine.service<BootOptions>().add(TRY(KeyValues::parse(text, "order", Words::Required)));
  if (!added) return std::unexpected(std::move(added).error().within("-boot " + text));
  return {};
}

const RegisterOption option{
    {.name = "boot",
     .argument = "[order=]drives[,once=drives][,menu=on|off][,strict=on|off]",
     .help = "boot order: a floppy, c disk, d CD-ROM, n network; once: until the guest resets;\n"
             "also [,splash=file][,splash-time=ms][,reboot-timeout=ms]",
     .phase = StartPhase::Config,
     .apply = &boot}};

}  // namespace

Result<> BootOptions::add(KeyValues values) {
  if (auto letters = values.take("order")) {
    TRY(check_order(*letters));
    order = std::move(*letters);
  }
  if (auto letters = values.take("once")) {
    TRY(check_order(*letters));
    once = std::move(*letters);
  }
  menu = TRY(values.take_bool("menu", menu));
  strict = TRY(values.take_bool("strict", strict));
  if (auto file = values.take("splash")) splash = std::move(*file);
  if (const auto ms = TRY(take_number(values, "splash-time", 0))) splash_ms = static_cast<u16>(*ms);
  if (const auto ms = TRY(take_number(values, "reboot-timeout", -1)))
    reboot_timeout_ms = static_cast<i32>(*ms);
  if (!values.empty()) return fail("unknown parameter '{}'", values.all().front().first);
  return {};
}

}  // namespace rhea
