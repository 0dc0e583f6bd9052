// SPDX-License-Identifier: GPL-2.0-or-later
// -drive's text.
#include "block/drive.h"
#include "block/drive_errors.h"
#include "block/drivers.h"
#include "block/node_options.h"
#include "rhea/util/known_names.h"

#include <algorithm>
#include <charconv>

namespace rhea::block {
namespace {

Result<DriveInterface> parse_interface(const std::string& text) {
  const auto found = std::ranges::find(kInterfaces, text, &InterfaceName::name);
  if (found != kInterfaces.end()) return found->interface;
  return fail("{}", with_remark(fmt::format("unsupported bus type '{}'", text),
                                about_unknown(NameKind::DriveInterface, text,
                                              {"ide", "floppy", "pflash", "none"})));
}

Result<std::optional<unsigned>> take_number(KeyValues& values, std::string_view key) {
  const auto text = values.take(key);
  if (!text) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (text->empty() || error != std::errc{} || end != text->data() + text->size() || number > 255)
    return fail("parameter '{}' expects a small number, not '{}'", key, *text);
  return number;
}

Result<bool> take_media(KeyValues& values) {
  const std::string media = values.take("media").value_or("disk");
  if (media != "disk" && media != "cdrom") return fail("'{}' invalid media", media);
  return media == "cdrom";
}

// One of these values is done; naming it is fine, the other ones are refused.
Result<> take_copy_on_read(KeyValues& values) {
  if (TRY(values.take_bool("copy-on-read", false)))
    return fail("parameter 'copy-on-read': QEMU has this; Rhea has not yet");
  return {};
}

// What is not on these buses has no device that could make a request again.
Result<> take_error_policy(KeyValues& values, DriveInterface interface, ErrorPolicy& policy) {
  const bool supported = interface != DriveInterface::Floppy && interface != DriveInterface::Pflash;
  for (const bool read : {false, true}) {
    const std::string_view key = read ? "rerror" : "werror";
    const auto text = values.take(key);
    if (!text) continue;
    if (!supported) return fail("{} is not supported by this bus type", key);
    (read ? policy.read : policy.write) = TRY(parse_on_error(*text, read));
  }
  return {};
}

Result<> take_file(KeyValues& values, ImageOptions& image) {
  const auto name = values.take("file"), inner = values.take("file.filename");
  if (name && inner) return fail("'file' and 'file.filename' both name the image");
  image.filename = name ? *name : inner.value_or("");
  if (const auto driver = values.take("file.driver")) {
    TRY(check_node_driver(*driver));
    if (*driver == "raw") return fail("parameter 'file.driver' is file or host_device, not 'raw'");
    image.host_device = *driver == "host_device";
  }
  TRY(take_file_options(values, "file.", image));
  return take_aio(values, image);
}

Result<> take_format(KeyValues& values, ImageOptions& image) {
  const auto format = values.take("format"), driver = values.take("driver");
  if (format && driver) return fail("Cannot specify both 'driver' and 'format'");
  image.format = format ? *format : driver.value_or("");
  return {};
}

Result<> take_cache(KeyValues& values, ImageOptions& image) {
  if (const auto mode = values.take("cache")) {
    const auto cache = parse_cache_mode(*mode);
    if (!cache)
      return fail(
          "invalid cache option: '{}' is none of writeback, writethrough, none, directsync, "
          "unsafe",
          *mode);
    image.cache = *cache;
  }
  image.cache.writeback = TRY(values.take_bool("cache.writeback", image.cache.writeback));
  return {};
}

Result<ImageOptions> take_image(KeyValues& values, bool cdrom) {
  ImageOptions image;
  image.auto_read_only = true;
  TRY(take_file(values, image));
  TRY(take_format(values, image));
  TRY(take_cache(values, image));
  image.read_only = TRY(values.take_bool("readonly", false)) || cdrom;
  TRY(take_node_options(values, image));
  TRY(take_piece(values, image));
  image.snapshot = TRY(values.take_bool("snapshot", false));
  image.node_name = values.take("node-name").value_or("");
  return image;
}

}  // namespace

Result<DriveOptions> parse_drive(std::string_view text) {
  KeyValues values = TRY(KeyValues::parse(text));
  DriveOptions options;
  if (const auto interface = values.take("if"))
    options.interface = TRY(parse_interface(*interface));
  options.cdrom = TRY(take_media(values));
  options.bus = TRY(take_number(values, "bus"));
  options.unit = TRY(take_number(values, "unit"));
  options.index = TRY(take_number(values, "index"));
  options.image = TRY(take_image(values, options.cdrom));
  if (const auto id = values.take("id")) {
    if (!is_identifier(*id)) return fail("Parameter 'id' expects an identifier, not '{}'", *id);
    options.id = *id;
  }
  options.serial = values.take("serial").value_or("");
  TRY(take_error_policy(values, options.interface, options.on_errors));
  TRY(take_copy_on_read(values));
  TRY(values.expect_empty("-drive"));
  return options;
}

}  // namespace rhea::block
