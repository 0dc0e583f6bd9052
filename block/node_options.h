// SPDX-License-Identifier: GPL-2.0-or-later
// The options that -drive and -blockdev share.
#pragma once

#include "block/raw_file.h"
#include "rhea/block/block_backend.h"
#include "rhea/util/keyval.h"

#include <string_view>

namespace rhea::block {

// What they take they take out of `options`.

/// read-only, auto-read-only, force-share, discard, detect-zeroes, cache.direct, cache.no-flush.
Result<> take_node_options(KeyValues& options, ImageOptions& image);
/// A file's own: locking, aio, and what goes with them; their names begin with `prefix`.
Result<> take_file_options(KeyValues& options, std::string_view prefix, ImageOptions& image);
/// aio alone.
Result<> take_aio(KeyValues& options, ImageOptions& image);
/// For -blockdev: detect-zeroes=unmap needs discard=unmap (-drive goes on without).
Result<> check_zeroes(const ImageOptions& image);
/// Raw's offset and size.
Result<> take_piece(KeyValues& options, ImageOptions& image);

RawFileOptions raw_file_options(const ImageOptions& image);
/// Names are new, and so are drives' ids beside them.
Result<> check_node_name(Machine& machine, std::string_view name);

}  // namespace rhea::block
