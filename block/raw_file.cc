// SPDX-License-Identifier: GPL-2.0-or-later
// Raw images over pread and pwrite.
#include "block/raw_file.h"

#include "block/file_lock.h"
#include "block/probe.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace rhea::block {
namespace {

Result<u64> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail("{}", errno_text(errno));
  if (S_ISDIR(status.st_mode)) return fail("{}", errno_text(EISDIR));
  if (S_ISREG(status.st_mode)) return static_cast<u64>(status.st_size);
  if (!S_ISBLK(status.st_mode)) return fail("neither a regular file nor a block device");
  u64 bytes = 0;
  if (::ioctl(fd, BLKGETSIZE64, &bytes) != 0) return fail("{}", errno_text(errno));
  return bytes;
}

// What O_DIRECT asks of offsets, lengths and addresses; enough for every disk.
constexpr u64 kDirectAlignment = 4096;
constexpr u64 kBounceSize = 128 * KiB;

bool is_direct(CacheMode cache) {
  return cache == CacheMode::None || cache == CacheMode::DirectSync;
}
bool is_synchronous(CacheMode cache) {
  return cache == CacheMode::Writethrough || cache == CacheMode::DirectSync;
}

// Not blocking: a FIFO must not hang the program before it is refused.
int open_flags(const RawFileOptions& options) {
  return (options.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK |
         (is_synchronous(options.cache) ? O_DSYNC : 0);
}

Result<FileDescriptor> open_direct(const std::string& filename, const RawFileOptions& options) {
  if (!is_direct(options.cache)) return FileDescriptor();
  FileDescriptor fd(::open(filename.c_str(), open_flags(options) | O_DIRECT));
  if (fd) return fd;
  return fail("Could not open '{}': its file system does not support O_DIRECT (cache={})", filename,
              enum_name(options.cache));
}

Result<u64> usable_size(int fd, const RawFileOptions& options) {
  const u64 bytes = TRY(size_of(fd));
  if (bytes == 0) return fail("the image is empty");
  if (options.lock) TRY(lock_image(fd, options.read_only ? ImageUse::ReadOnly : ImageUse::Write));
  return bytes;
}

}  // namespace

Result<> read_at(int fd, u64 offset, std::span<u8> data) {
  while (!data.empty()) {
    const ssize_t got = ::pread(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail("{}", errno_text(errno));
    }
    if (got == 0) {
      std::ranges::fill(data, u8{0});
      return {};
    }
    data = data.subspan(static_cast<std::size_t>(got));
    offset += static_cast<u64>(got);
  }
  return {};
}

Result<> write_at(int fd, u64 offset, std::span<const u8> data) {
  while (!data.empty()) {
    const ssize_t put = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      return fail("{}", errno_text(errno));
    }
    if (put == 0) return fail("{}", errno_text(ENOSPC));
    data = data.subspan(static_cast<std::size_t>(put));
    offset += static_cast<u64>(put);
  }
  return {};
}

RawFile::RawFile(FileDescriptor fd, FileDescriptor direct, std::string filename, u64 size,
                 const RawFileOptions& options)
    : fd_(std::move(fd)),
      direct_(std::move(direct)),
      bounce_(
          direct_ ? static_cast<u8*>(std::aligned_alloc(kDirectAlignment, kBounceSize)) : nullptr,
          &std::free),
      filename_(std::move(filename)),
      size_(size),
      options_(options) {}

Result<std::unique_ptr<RawFile>> RawFile::open(const std::string& filename,
                                               const RawFileOptions& options) {
  FileDescriptor fd(::open(filename.c_str(), open_flags(options)));
  if (!fd) return fail("Could not open '{}': {}", filename, errno_text(errno));
  auto bytes = usable_size(fd.get(), options);
  if (!bytes)
    return std::unexpected(
        std::move(bytes).error().within(fmt::format("Could not open '{}'", filename)));
  const u64 size = (*bytes + kSectorSize - 1) / kSectorSize * kSectorSize;
  FileDescriptor direct = TRY(open_direct(filename, options));
  return std::unique_ptr<RawFile>(
      new RawFile(std::move(fd), std::move(direct), filename, size, options));
}

bool RawFile::goes_direct(u64 offset, u64 length) const {
  return direct_ && (offset | length) % kDirectAlignment == 0;
}

// The last piece of a file that ends in the middle of a block is read in the ordinary way.
Result<> RawFile::read_direct(u64 offset, std::span<u8> data) {
  while (!data.empty()) {
    const auto part = data.first(std::min<std::size_t>(data.size(), kBounceSize));
    const ssize_t got =
        ::pread(direct_.get(), bounce_.get(), part.size(), static_cast<off_t>(offset));
    if (got != static_cast<ssize_t>(part.size()))
      TRY(read_at(fd_.get(), offset, part));
    else
      std::copy_n(bounce_.get(), part.size(), part.begin());
    data = data.subspan(part.size());
    offset += part.size();
  }
  return {};
}

Result<> RawFile::write_direct(u64 offset, std::span<const u8> data) {
  while (!data.empty()) {
    const auto part = data.first(std::min<std::size_t>(data.size(), kBounceSize));
    std::ranges::copy(part, bounce_.get());
    const ssize_t put =
        ::pwrite(direct_.get(), bounce_.get(), part.size(), static_cast<off_t>(offset));
    if (put != static_cast<ssize_t>(part.size())) TRY(write_at(fd_.get(), offset, part));
    data = data.subspan(part.size());
    offset += part.size();
  }
  return {};
}

Result<> RawFile::read(u64 offset, std::span<u8> data) {
  return goes_direct(offset, data.size()) ? read_direct(offset, data)
                                          : read_at(fd_.get(), offset, data);
}

// A guest that writes another format's signature over a guessed raw image would have its next start
// read the file by that format, with all the references to other host files such a header can hold.
Result<> RawFile::check_first_sector(u64 offset, std::span<const u8> data) {
  std::array<u8, kProbeBytes> head{};
  TRY(read_at(fd_.get(), 0, head));
  const std::size_t length = std::min<std::size_t>(head.size() - offset, data.size());
  std::copy_n(data.begin(), length, head.begin() + static_cast<std::ptrdiff_t>(offset));
  const std::string_view format = probe_format(head);
  if (format != "raw")
    return fail("'{}' was guessed to be raw: writing a {} header is refused", filename_, format);
  return {};
}

Result<> RawFile::write(u64 offset, std::span<const u8> data) {
  if (options_.read_only) return fail("'{}' is read-only", filename_);
  if (options_.probed && offset < kProbeBytes) TRY(check_first_sector(offset, data));
  return goes_direct(offset, data.size()) ? write_direct(offset, data)
                                          : write_at(fd_.get(), offset, data);
}

Result<> RawFile::flush() {
  if (options_.cache == CacheMode::Unsafe) return {};
  while (!options_.read_only && ::fdatasync(fd_.get()) != 0)
    if (errno != EINTR) return fail("{}", errno_text(errno));
  return {};
}

}  // namespace rhea::block
