// SPDX-License-Identifier: GPL-2.0-or-later
// What images have in common.
#include "rhea/block/block_node.h"

#include "rhea/util/types.h"

#include <algorithm>
#include <vector>

namespace rhea {

std::optional<CacheOptions> parse_cache_mode(std::string_view mode) {
  if (mode == "writeback") return CacheOptions{};
  if (mode == "writethrough") return CacheOptions{.writeback = false};
  if (mode == "none" || mode == "off") return CacheOptions{.direct = true};
  if (mode == "directsync") return CacheOptions{.writeback = false, .direct = true};
  if (mode == "unsafe") return CacheOptions{.no_flush = true};
  return std::nullopt;
}

Result<> BlockNode::write_zeroes(u64 offset, u64 length, bool) {
  const std::vector<u8> zeroes(std::min<u64>(length, 64 * KiB));
  while (length != 0) {
    const u64 part = std::min<u64>(length, zeroes.size());
    TRY(write(offset, std::span(zeroes).first(part)));
    offset += part;
    length -= part;
  }
  return {};
}

}  // namespace rhea
