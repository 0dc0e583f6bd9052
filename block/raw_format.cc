// SPDX-License-Identifier: GPL-2.0-or-later
// The raw format over another node.
#include "block/raw_format.h"

#include <algorithm>
#include <cstring>

namespace rhea::block {

Result<std::unique_ptr<BlockNode>> RawFormat::create(std::shared_ptr<BlockNode> child,
                                                     const RawFormatOptions& options) {
  constexpr u64 kSector = 512;
  const u64 whole = child->size();
  if (options.offset > whole)
    return fail("Offset ({}) cannot be greater than size of the containing file ({})",
                options.offset, whole);
  if (options.size && *options.size > whole - options.offset)
    return fail(
        "The sum of offset ({}) and size ({}) has to be smaller or equal to the actual size of the "
        "containing file ({})",
        options.offset, *options.size, whole);
  if (options.size && *options.size % kSector != 0)
    return fail("Specified size is not multiple of {}", kSector);
  const u64 size = options.size.value_or((whole - options.offset) / kSector * kSector);
  return std::unique_ptr<BlockNode>(new RawFormat(std::move(child), size, options));
}

Result<> RawFormat::read(u64 offset, std::span<u8> data) {
  return child_->read(options_.offset + offset, data);
}

Result<> RawFormat::write(u64 offset, std::span<const u8> data) {
  if (options_.read_only) return fail("'{}' is read-only", filename());
  if (options_.detect_zeroes != DetectZeroes::Off && is_zero(data))
    return child_->write_zeroes(options_.offset + offset, data.size(),
                                options_.detect_zeroes == DetectZeroes::Unmap);
  return child_->write(options_.offset + offset, data);
}

Result<> RawFormat::discard(u64 offset, u64 length) {
  if (!options_.discard || options_.read_only) return {};
  return child_->discard(options_.offset + offset, length);
}

Result<> RawFormat::write_zeroes(u64 offset, u64 length, bool may_unmap) {
  if (options_.read_only) return fail("'{}' is read-only", filename());
  return child_->write_zeroes(options_.offset + offset, length, may_unmap && options_.discard);
}

Result<> RawFormat::resize(u64 bytes) {
  constexpr u64 kSector = 512;
  if (options_.size) return fail("Cannot resize fixed-size raw disks");
  if (bytes > ~u64{0} - options_.offset) return fail("Disk size too large for the chosen offset");
  TRY(child_->resize(options_.offset + bytes));
  size_ = (child_->size() - std::min(options_.offset, child_->size())) / kSector * kSector;
  return {};
}

NodeDetails RawFormat::details() const {
  NodeDetails details = child_->details();
  details.detect_zeroes = options_.detect_zeroes;
  return details;
}

bool is_zero(std::span<const u8> data) {
  return data.empty() ||
         (data[0] == 0 && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

}  // namespace rhea::block
