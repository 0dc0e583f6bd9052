// SPDX-License-Identifier: GPL-2.0-or-later
// From a file name and a format to a node.
#include "block/drivers.h"
#include "block/node_options.h"
#include "block/overlay.h"
#include "block/probe.h"
#include "block/raw_format.h"
#include "rhea/util/log.h"

#include <array>

namespace rhea {
namespace {

using namespace block;

std::unexpected<Error> could_not_open(const std::string& filename, Error&& error) {
  return std::unexpected(std::move(error).within(fmt::format("Could not open '{}'", filename)));
}

// "nbd://host", but not "./a:b" or "/dev/x:y".
Result<std::string> local_name(const std::string& filename) {
  const auto colon = filename.find(':');
  if (colon == std::string::npos || filename.find('/') < colon) return filename;
  const std::string protocol = filename.substr(0, colon);
  if (protocol == "file" || protocol == "host_device") return filename.substr(colon + 1);
  auto refused = check_protocol(protocol);
  return could_not_open(filename, std::move(refused).error());
}

Result<> check_supported(const std::string& filename, std::string_view format) {
  auto known = check_format(format);
  if (known) return {};
  return could_not_open(filename, std::move(known).error());
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

// The whole of a file, or a piece of it.
Result<std::unique_ptr<BlockNode>> cut(std::unique_ptr<BlockNode> file,
                                       const ImageOptions& options) {
  if (options.offset == 0 && !options.size) return file;
  const std::string name = file->filename();
  auto piece = RawFormat::create(
      std::move(file),
      {.discard = options.discard, .offset = options.offset, .size = options.size});
  if (!piece) return could_not_open(name, std::move(piece).error());
  return piece;
}

}  // namespace

Result<std::unique_ptr<BlockNode>> open_image(const ImageOptions& options) {
  if (options.filename.empty()) return fail("an image needs a file name");
  const std::string filename = TRY(local_name(options.filename));
  const bool guess = options.format.empty();
  if (!guess) TRY(check_supported(filename, options.format));
  const std::string format = guess ? TRY(probe_file(filename)) : options.format;
  TRY(check_supported(filename, format));

  RawFileOptions raw = raw_file_options(options);
  raw.read_only = options.read_only || options.snapshot;
  raw.probed = guess && !raw.read_only;
  std::unique_ptr<BlockNode> node = TRY(RawFile::open(filename, raw));
  TRY(node->acquire(!node->read_only()));
  if (guess && !node->read_only()) warn_of_guess(filename);
  node = TRY(cut(std::move(node), options));
  node->node_name = options.node_name;
  if (!options.snapshot || options.read_only) return node;
  const std::string name = node->node_name;
  node = TRY(Overlay::create(std::move(node)));
  node->node_name = name;
  return node;
}

}  // namespace rhea
