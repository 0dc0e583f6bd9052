// SPDX-License-Identifier: GPL-2.0-or-later
// The temporary layer over an image.
#include "block/overlay.h"

#include "block/raw_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace rhea::block {

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

Overlay::Overlay(std::unique_ptr<BlockNode> base, FileDescriptor fd)
    : base_(std::move(base)), fd_(std::move(fd)) {}

Result<std::unique_ptr<BlockNode>> Overlay::create(std::unique_ptr<BlockNode> base) {
  // Nothing here changes the environment.
  const char* directory = ::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  std::string name = std::string(directory != nullptr && *directory != 0 ? directory : "/var/tmp") +
                     "/rhea-snapshot-XXXXXX";
  FileDescriptor fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return fail("cannot create the temporary file '{}': {}", name, errno_text(errno));
  ::unlink(name.c_str());
  return std::unique_ptr<BlockNode>(new Overlay(std::move(base), std::move(fd)));
}

Result<> Overlay::read(u64 offset, std::span<u8> data) {
  while (!data.empty()) {
    // As far as the source stays the same.
    const bool written = written_.test(offset / kClusterSize);
    u64 length = kClusterSize - offset % kClusterSize;
    while (length < data.size() && written_.test((offset + length) / kClusterSize) == written)
      length += kClusterSize;
    const auto part = data.first(std::min<u64>(length, data.size()));
    TRY(written ? read_at(fd_.get(), offset, part) : base_->read(offset, part));
    data = data.subspan(part.size());
    offset += part.size();
  }
  return {};
}

// Brings a cluster that is about to be written in part over from the base.
Result<> Overlay::prepare(u64 cluster) {
  if (written_.test(cluster)) return {};
  std::array<u8, kClusterSize> copy{};
  const u64 start = cluster * kClusterSize;
  const std::span<u8> part(copy.data(), std::min<u64>(kClusterSize, size() - start));
  TRY(base_->read(start, part));
  TRY(write_at(fd_.get(), start, part));
  written_.set(cluster);
  return {};
}

Result<> Overlay::write(u64 offset, std::span<const u8> data) {
  if (data.empty()) return {};
  const u64 end = offset + data.size();
  if (offset % kClusterSize != 0) TRY(prepare(offset / kClusterSize));
  if (end % kClusterSize != 0 && end != size()) TRY(prepare(end / kClusterSize));
  TRY(write_at(fd_.get(), offset, data));
  for (u64 cluster = offset / kClusterSize; cluster * kClusterSize < end; ++cluster)
    written_.set(cluster);
  return {};
}

}  // namespace rhea::block
