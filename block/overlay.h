// SPDX-License-Identifier: GPL-2.0-or-later
// snapshot=on: what the guest writes goes to a temporary file and is forgotten at exit.
#pragma once

#include "rhea/block/block_backend.h"
#include "rhea/util/file_descriptor.h"

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace rhea::block {

/// One bit a cluster, made as clusters are written.
class ClusterMap {
 public:
  ClusterMap copy() const;
  bool test(u64 cluster) const;
  void set(u64 cluster);
  /// The first one that is set, from `cluster` on.
  std::optional<u64> next(u64 cluster) const;

 private:
  static constexpr u64 kWords = 512;
  static constexpr u64 kLeafClusters = kWords * 64;
  using Leaf = std::array<u64, kWords>;
  std::vector<std::unique_ptr<Leaf>> leaves_;
};

/// Shows `base` with the written clusters over it. The temporary file is sparse, has no name, and
/// holds each cluster at its own offset.
class Overlay final : public BlockNode {
 public:
  static constexpr u64 kClusterSize = 4096;
  static Result<std::unique_ptr<BlockNode>> create(std::unique_ptr<BlockNode> base);
  /// The node as an overlay, if it is one.
  static Overlay* of(BlockNode* node) { return dynamic_cast<Overlay*>(node); }

  std::string_view format() const override { return base_->format(); }
  const std::string& filename() const override { return base_->filename(); }
  u64 size() const override { return size_; }
  bool read_only() const override { return false; }
  Result<> read(u64 offset, std::span<u8> data) override;
  Result<> write(u64 offset, std::span<const u8> data) override;
  Result<> flush() override { return {}; }
  Result<> resize(u64 bytes) override;
  NodeDetails details() const override { return base_->details(); }
  void release() override { base_->release(); }

  /// What lies over the base, by itself.
  class Layer {
   public:
    /// Empty, in a new temporary file.
    static Result<Layer> create();
    /// Whole clusters, but for the disk's last.
    Result<> write(u64 offset, std::span<const u8> data);
    Result<> read(u64 offset, std::span<u8> data) const;
    const ClusterMap& written() const { return written_; }
    /// The same file, and which clusters were written so far.
    Result<Layer> share() const;

   private:
    friend class Overlay;
    explicit Layer(FileDescriptor fd) : fd_(std::move(fd)) {}
    Result<> cut(u64 bytes);
    FileDescriptor fd_;
    ClusterMap written_;
  };
  // The drive has nothing under way while these are used, whatever the thread.
  const Layer& layer() const { return layer_; }
  void replace_layer(Layer layer) { layer_ = std::move(layer); }

 private:
  Overlay(std::unique_ptr<BlockNode> base, Layer layer);
  Result<> prepare(u64 cluster);
  Result<> read_base(u64 offset, std::span<u8> data);

  std::unique_ptr<BlockNode> base_;
  u64 base_end_;  ///< from here on the base shows no more
  std::atomic<u64> size_;
  Layer layer_;
};

}  // namespace rhea::block
