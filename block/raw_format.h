// SPDX-License-Identifier: GPL-2.0-or-later
// The raw format over another node: its bytes, or a piece of them.
#pragma once

#include "rhea/block/block_node.h"

#include <atomic>
#include <memory>

namespace rhea::block {

struct RawFormatOptions {
  bool read_only{false};
  bool discard{false};
  DetectZeroes detect_zeroes{DetectZeroes::Off};
  u64 offset{0};
  std::optional<u64> size{};
};

class RawFormat final : public BlockNode {
 public:
  /// Fails when the piece is not within the node.
  static Result<std::unique_ptr<BlockNode>> create(std::shared_ptr<BlockNode> child,
                                                   const RawFormatOptions& options);

  std::string_view format() const override { return "raw"; }
  const std::string& filename() const override { return child_->filename(); }
  u64 size() const override { return size_; }
  bool read_only() const override { return options_.read_only || child_->read_only(); }
  Result<> read(u64 offset, std::span<u8> data) override;
  Result<> write(u64 offset, std::span<const u8> data) override;
  Result<> flush() override { return child_->flush(); }
  Result<> discard(u64 offset, u64 length) override;
  Result<> write_zeroes(u64 offset, u64 length, bool may_unmap) override;
  Result<> resize(u64 bytes) override;
  NodeDetails details() const override;
  Result<> acquire(bool write) override { return child_->acquire(write && !options_.read_only); }
  void release() override { child_->release(); }

 private:
  RawFormat(std::shared_ptr<BlockNode> child, u64 size, const RawFormatOptions& options)
      : child_(std::move(child)), size_(size), options_(options) {}

  std::shared_ptr<BlockNode> child_;
  std::atomic<u64> size_;
  RawFormatOptions options_;
};

/// Whether all bytes are zero.
bool is_zero(std::span<const u8> data);

}  // namespace rhea::block
