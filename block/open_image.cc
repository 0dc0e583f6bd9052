// SPDX-License-Identifier: GPL-2.0-or-later
// From a file name and a format to a node.
#include "block/overlay.h"
#include "block/probe.h"
#include "block/raw_file.h"
#include "rhea/util/log.h"

#include <sys/stat.h>

#include <array>

namespace rhea {
namespace {

using namespace block;

// "nbd://host", but not "./a:b" or "/dev/x:y".
Result<std::string> local_name(const std::string& filename) {
  const auto colon = filename.find(':');
  if (colon == std::string::npos || filename.find('/') < colon) return filename;
  const std::string protocol = filename.substr(0, colon);
  if (protocol == "file") return filename.substr(colon + 1);
  return fail("Could not open '{}': Unknown protocol '{}'", filename, protocol);
}

Result<> check_supported(const std::string& filename, std::string_view format) {
  if (format == "raw") return {};
  if (is_foreign_format(format))
    return fail("Could not open '{}': format '{}' is not supported yet", filename, format);
  return fail("Could not open '{}': Unknown driver '{}'", filename, format);
}

Result<std::string> probe_file(const std::string& filename) {
  const auto file = TRY(RawFile::open(filename, {.read_only = true, .lock = false}));
  std::array<u8, kProbeBytes> head{};
  auto result = file->read(0, head);
  if (!result)
    return std::unexpected(
        std::move(result).error().within(fmt::format("Could not read '{}'", filename)));
  return std::string(probe_format(head));
}

void warn_of_guess(const std::string& filename) {
  report_warning(fmt::format(
      "Image format was not specified for '{}' and probing guessed raw: writes that would turn its "
      "first sector into another format's header are refused; format=raw lifts that",
      filename));
}

}  // namespace

Result<std::unique_ptr<BlockNode>> open_image(const ImageOptions& options) {
  if (options.filename.empty()) return fail("an image needs a file name");
  const std::string filename = TRY(local_name(options.filename));
  const bool guess = options.format.empty();
  if (!guess) TRY(check_supported(filename, options.format));
  const std::string format = guess ? TRY(probe_file(filename)) : options.format;
  TRY(check_supported(filename, format));

  const bool read_only = options.read_only || options.snapshot;
  std::unique_ptr<BlockNode> node = TRY(RawFile::open(filename, {.read_only = read_only,
                                                                 .probed = guess && !read_only,
                                                                 .lock = options.locking,
                                                                 .cache = options.cache}));
  if (guess && !read_only) warn_of_guess(filename);
  if (!options.snapshot || options.read_only) return node;
  return Overlay::create(std::move(node));
}

}  // namespace rhea
