// SPDX-License-Identifier: GPL-2.0-or-later
// The options that -drive and -blockdev share.
#include "block/node_options.h"

#include "block/blockdev.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::block {
namespace {

// One of some words; the number of the word.
template <std::size_t N>
Result<std::optional<std::size_t>> take_word(KeyValues& options, const std::string& key,
                                             const std::array<std::string_view, N>& words) {
  const auto value = options.take(key);
  if (!value) return std::nullopt;
  const auto found = std::ranges::find(words, *value);
  if (found == words.end())
    return fail("Parameter '{}' does not accept value '{}' ({})", key, *value,
                fmt::join(words, ", "));
  return static_cast<std::size_t>(found - words.begin());
}

template <class Enum>
Result<> take_enum(KeyValues& options, const std::string& key, Enum& into) {
  if (const auto word = TRY(take_word(options, key, EnumTraits<Enum>::kNames)))
    into = static_cast<Enum>(*word);
  return {};
}

Result<> take_bool_into(KeyValues& options, std::string_view key, bool& into) {
  into = TRY(options.take_bool(key, into));
  return {};
}

Result<> take_size_into(KeyValues& options, std::string_view key, std::optional<u64>& into) {
  const auto text = options.take(key);
  if (!text) return {};
  auto size = parse_size(*text);
  if (!size) return fail("Parameter '{}' expects a size, not '{}'", key, *text);
  into = *size;
  return {};
}

}  // namespace

Result<> take_node_options(KeyValues& options, ImageOptions& image) {
  constexpr std::array<std::string_view, 4> kDiscard = {"ignore", "off", "unmap", "on"};
  TRY(take_bool_into(options, "read-only", image.read_only));
  TRY(take_bool_into(options, "auto-read-only", image.auto_read_only));
  if (const auto word = TRY(take_word(options, "discard", kDiscard))) image.discard = *word >= 2;
  TRY(take_enum(options, "detect-zeroes", image.detect_zeroes));
  TRY(take_bool_into(options, "cache.direct", image.cache.direct));
  TRY(take_bool_into(options, "cache.no-flush", image.cache.no_flush));
  if (TRY(options.take_bool("force-share", false))) {
    if (!image.read_only) return fail("force-share=on can only be used with read-only images");
    image.locking = false;
  }
  return {};
}

Result<> check_zeroes(const ImageOptions& image) {
  if (image.detect_zeroes == DetectZeroes::Unmap && !image.discard)
    return fail(
        "setting detect-zeroes to unmap is not allowed without setting discard operation to unmap");
  return {};
}

Result<> take_aio(KeyValues& options, ImageOptions& image) {
  return take_enum(options, "aio", image.aio);
}

// Batches of more than one request there are none, and nothing migrates: aio-max-batch and
// drop-cache have no work, whatever they say.
Result<> take_file_options(KeyValues& options, std::string_view prefix, ImageOptions& image) {
  constexpr std::array<std::string_view, 3> kOnOffAuto = {"off", "on", "auto"};
  const std::string start(prefix);
  if (const auto word = TRY(take_word(options, start + "locking", kOnOffAuto)))
    image.locking = image.locking && *word != 0;
  TRY(take_enum(options, start + "aio", image.aio));
  std::optional<u64> batch;
  TRY(take_size_into(options, start + "aio-max-batch", batch));
  TRY(options.take_bool(start + "drop-cache", true));
  if (options.find(start + "pr-manager") != nullptr)
    return fail("Parameter '{}pr-manager': QEMU has this; Rhea has not yet", prefix);
  return {};
}

Result<> take_piece(KeyValues& options, ImageOptions& image) {
  std::optional<u64> offset;
  TRY(take_size_into(options, "offset", offset));
  TRY(take_size_into(options, "size", image.size));
  image.offset = offset.value_or(0);
  return {};
}

RawFileOptions raw_file_options(const ImageOptions& image) {
  return {.host_device = image.host_device,
          .read_only = image.read_only,
          .auto_read_only = image.auto_read_only,
          .lock = image.locking,
          .discard = image.discard,
          .cache = image.cache,
          .aio = image.aio,
          .detect_zeroes = image.detect_zeroes};
}

Result<> check_node_name(Machine& machine, std::string_view name) {
  constexpr std::size_t kLongest = 31;
  if (!is_identifier(name)) return fail("Invalid node-name: '{}'", name);
  if (name.size() > kLongest) return fail("Node name too long");
  if (machine.service<NamedNodes>().find(name) != nullptr)
    return fail("Duplicate nodes with node-name='{}'", name);
  if (find_drive(machine, name) != nullptr)
    return fail("node-name={} is conflicting with a device id", name);
  for (const BlockBackend* drive : drives(machine))
    if (drive->inserted() && drive->medium()->node_name == name)
      return fail("Duplicate nodes with node-name='{}'", name);
  return {};
}

}  // namespace rhea::block
