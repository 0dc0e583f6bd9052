// SPDX-License-Identifier: GPL-2.0-or-later
// A raw image: a file or host block device whose bytes are the disk's.
#pragma once

#include "rhea/block/block_backend.h"
#include "rhea/util/file_descriptor.h"

#include <memory>
#include <string>

namespace rhea::block {

inline constexpr u64 kSectorSize = 512;

struct RawFileOptions {
  bool read_only{false};
  bool probed{false};  ///< raw by guess: the first sector must not become another format's header
  bool lock{true};
  CacheMode cache{CacheMode::Writeback};
};

/// Past the page cache go requests whose offset and length are aligned; the kernel keeps the others
/// coherent with them. The size is rounded up to whole sectors; what the file lacks of the last one
/// reads as zeroes.
class RawFile final : public BlockNode {
 public:
  /// Errors name the file and why it cannot be used.
  static Result<std::unique_ptr<RawFile>> open(const std::string& filename,
                                               const RawFileOptions& options);

  std::string_view format() const override { return "raw"; }
  const std::string& filename() const override { return filename_; }
  u64 size() const override { return size_; }
  bool read_only() const override { return options_.read_only; }
  Result<> read(u64 offset, std::span<u8> data) override;
  Result<> write(u64 offset, std::span<const u8> data) override;
  Result<> flush() override;

 private:
  RawFile(FileDescriptor fd, FileDescriptor direct, std::string filename, u64 size,
          const RawFileOptions& options);
  Result<> check_first_sector(u64 offset, std::span<const u8> data);

  bool goes_direct(u64 offset, u64 length) const;
  Result<> read_direct(u64 offset, std::span<u8> data);
  Result<> write_direct(u64 offset, std::span<const u8> data);

  FileDescriptor fd_;
  FileDescriptor direct_;  ///< past the page cache; may be none
  std::unique_ptr<u8[], void (*)(void*)> bounce_;
  std::string filename_;
  u64 size_;
  RawFileOptions options_;
};

/// Whole-buffer pread: short reads and EINTR are continued, the end of the file gives zeroes.
Result<> read_at(int fd, u64 offset, std::span<u8> data);
Result<> write_at(int fd, u64 offset, std::span<const u8> data);

}  // namespace rhea::block
