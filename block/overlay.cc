// SPDX-License-Identifier: GPL-2.0-or-later
// The temporary layer over an image.
#include "block/overlay.h"

#include "block/raw_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <limits>

namespace rhea::block {
namespace {

// What a file may have.
constexpr u64 kMostBytes = static_cast<u64>(std::numeric_limits<off_t>::max()) - 4095;

}  // namespace

bool ClusterMap::test(u64 cluster) const {
  const u64 leaf = cluster / kLeafClusters;
  if (leaf >= leaves_.size() || !leaves_[leaf]) return false;
  return ((*leaves_[leaf])[cluster % kLeafClusters / 64] >> (cluster % 64) & 1) != 0;
}

void ClusterMap::set(u64 cluster) {
  const u64 leaf = cluster / kLeafClusters;
  if (leaf >= leaves_.size()) leaves_.resize(leaf + 1);
  if (!leaves_[leaf]) leaves_[leaf] = std::make_unique<Leaf>();
  (*leaves_[leaf])[cluster % kLeafClusters / 64] |= u64{1} << (cluster % 64);
}

ClusterMap ClusterMap::copy() const {
  ClusterMap copy;
  for (const auto& leaf : leaves_)
    copy.leaves_.push_back(leaf ? std::make_unique<Leaf>(*leaf) : nullptr);
  return copy;
}

std::optional<u64> ClusterMap::next(u64 cluster) const {
  while (cluster / kLeafClusters < leaves_.size()) {
    const auto& leaf = leaves_[cluster / kLeafClusters];
    if (!leaf) {
      cluster = (cluster / kLeafClusters + 1) * kLeafClusters;
      continue;
    }
    const u64 rest = (*leaf)[cluster % kLeafClusters / 64] >> (cluster % 64);
    if (rest != 0) return cluster + static_cast<u64>(std::countr_zero(rest));
    cluster = (cluster / 64 + 1) * 64;
  }
  return std::nullopt;
}

Result<Overlay::Layer> Overlay::Layer::create() {
  // Nothing here changes the environment.
  const char* directory = ::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  std::string name = std::string(directory != nullptr && *directory != 0 ? directory : "/var/tmp") +
                     "/rhea-snapshot-XXXXXX";
  FileDescriptor fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return fail("cannot create the temporary file '{}': {}", name, errno_text(errno));
  ::unlink(name.c_str());
  return Layer(std::move(fd));
}

Result<> Overlay::Layer::write(u64 offset, std::span<const u8> data) {
  TRY(write_at(fd_.get(), offset, data));
  for (u64 cluster = offset / kClusterSize; cluster * kClusterSize < offset + data.size();
       ++cluster)
    written_.set(cluster);
  return {};
}

Result<> Overlay::Layer::read(u64 offset, std::span<u8> data) const {
  return read_at(fd_.get(), offset, data);
}

Result<Overlay::Layer> Overlay::Layer::share() const {
  FileDescriptor fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd) return fail("cannot take the temporary file twice: {}", errno_text(errno));
  Layer same(std::move(fd));
  same.written_ = written_.copy();
  return same;
}

Overlay::Overlay(std::unique_ptr<BlockNode> base, Layer layer)
    : base_(std::move(base)),
      base_end_(base_->size()),
      size_(base_end_),
      layer_(std::move(layer)) {}

Result<std::unique_ptr<BlockNode>> Overlay::create(std::unique_ptr<BlockNode> base) {
  Layer layer = TRY(Layer::create());
  return std::unique_ptr<BlockNode>(new Overlay(std::move(base), std::move(layer)));
}

Result<> Overlay::read(u64 offset, std::span<u8> data) {
  while (!data.empty()) {
    // As far as the source stays the same.
    const bool written = layer_.written().test(offset / kClusterSize);
    u64 length = kClusterSize - offset % kClusterSize;
    while (length < data.size() &&
           layer_.written().test((offset + length) / kClusterSize) == written)
      length += kClusterSize;
    const auto part = data.first(std::min<u64>(length, data.size()));
    TRY(written ? layer_.read(offset, part) : read_base(offset, part));
    data = data.subspan(part.size());
    offset += part.size();
  }
  return {};
}

// Zeroes, where the disk has become longer than it is or was.
Result<> Overlay::read_base(u64 offset, std::span<u8> data) {
  const u64 there = std::min<u64>(base_end_ - std::min(offset, base_end_), data.size());
  std::ranges::fill(data.subspan(there), u8{0});
  return there == 0 ? Result<>{} : base_->read(offset, data.first(there));
}

// What was written behind the end reads as zeroes when the disk becomes longer again.
Result<> Overlay::Layer::cut(u64 bytes) {
  struct stat info{};
  if (::fstat(fd_.get(), &info) == 0 && static_cast<u64>(info.st_size) <= bytes) return {};
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0)
    return fail("cannot cut the temporary file: {}", errno_text(errno));
  return {};
}

Result<> Overlay::resize(u64 bytes) {
  constexpr u64 kSector = 512;
  if (bytes > kMostBytes) return fail("Failed to resize the file: {}", errno_text(EFBIG));
  TRY(layer_.cut(bytes));
  base_end_ = std::min(base_end_, bytes);
  size_ = (bytes + kSector - 1) / kSector * kSector;
  return {};
}

// Brings a cluster that is about to be written in part over from the base.
Result<> Overlay::prepare(u64 cluster) {
  if (layer_.written().test(cluster)) return {};
  std::array<u8, kClusterSize> copy{};
  const u64 start = cluster * kClusterSize;
  const std::span<u8> part(copy.data(), std::min<u64>(kClusterSize, size() - start));
  TRY(read_base(start, part));
  return layer_.write(start, part);
}

Result<> Overlay::write(u64 offset, std::span<const u8> data) {
  if (data.empty()) return {};
  const u64 end = offset + data.size();
  if (offset % kClusterSize != 0) TRY(prepare(offset / kClusterSize));
  if (end % kClusterSize != 0 && end != size()) TRY(prepare(end / kClusterSize));
  return layer_.write(offset, data);
}

}  // namespace rhea::block
