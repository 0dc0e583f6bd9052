// SPDX-License-Identifier: GPL-2.0-or-later
// A raw image: a file or host block device whose bytes are the disk's.
#pragma once

#include "block/io_engine.h"
#include "rhea/util/file_descriptor.h"

#include <atomic>
#include <memory>
#include <string>

namespace rhea::block {

inline constexpr u64 kSectorSize = 512;

struct RawFileOptions {
  std::string_view driver{"raw"};  ///< what it is called
  bool host_device{false};         ///< only a block device will do
  bool read_only{false};
  bool auto_read_only{false};  ///< when it cannot be written, it is read-only
  bool probed{false};  ///< raw by guess: the first sector must not become another format's header
  bool lock{true};
  bool discard{false};
  CacheOptions cache{};
  AioMode aio{AioMode::Threads};
  DetectZeroes detect_zeroes{DetectZeroes::Off};
};

/// Past the page cache go requests whose offset and length are aligned; the kernel keeps the others
/// coherent with them. The size is rounded up to whole sectors; what the file lacks of the last one
/// reads as zeroes.
class RawFile final : public BlockNode {
 public:
  /// Errors name the file and why it cannot be used. Locks nothing: acquire() does.
  static Result<std::unique_ptr<RawFile>> open(const std::string& filename,
                                               const RawFileOptions& options);
  ~RawFile() override;

  std::string_view format() const override { return options_.driver; }
  const std::string& filename() const override { return filename_; }
  u64 size() const override { return size_; }
  bool read_only() const override { return options_.read_only; }
  Result<> read(u64 offset, std::span<u8> data) override;
  Result<> write(u64 offset, std::span<const u8> data) override;
  Result<> flush() override;
  Result<> discard(u64 offset, u64 length) override;
  Result<> write_zeroes(u64 offset, u64 length, bool may_unmap) override;
  Result<> resize(u64 bytes) override;
  NodeDetails details() const override;
  Result<> acquire(bool write) override;
  void release() override;

 private:
  RawFile(std::string filename, const RawFileOptions& options)
      : filename_(std::move(filename)), options_(options) {}
  Result<> open_files();
  Result<> check_first_sector(u64 offset, std::span<const u8> data);

  bool goes_direct(u64 offset, u64 length) const;
  Result<> read_direct(u64 offset, std::span<u8> data);
  Result<> write_direct(u64 offset, std::span<const u8> data);
  Result<> read_all(u64 offset, std::span<u8> data);
  Result<> write_all(u64 offset, std::span<const u8> data);
  Result<> sync();

  FileDescriptor fd_;
  FileDescriptor direct_;  ///< past the page cache; may be none
  std::unique_ptr<IoEngine> engine_;
  std::unique_ptr<u8[], void (*)(void*)> bounce_{nullptr, nullptr};
  std::string filename_;
  std::atomic<u64> size_{0};
  RawFileOptions options_;
  bool block_device_{false};
  bool fell_back_{false};
  bool cannot_punch_{false}, cannot_zero_{false};  ///< the file system said so
};

/// Whole-buffer pread: short reads and EINTR are continued, the end of the file gives zeroes.
Result<> read_at(int fd, u64 offset, std::span<u8> data);
Result<> write_at(int fd, u64 offset, std::span<const u8> data);

}  // namespace rhea::block
