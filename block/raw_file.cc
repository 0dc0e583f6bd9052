// SPDX-License-Identifier: GPL-2.0-or-later
// Raw images: opening, locking, reading, writing, freeing.
#include "block/raw_file.h"

#include "block/file_lock.h"
#include "block/probe.h"
#include "block/raw_format.h"
#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>

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

bool is_block_device(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);
}

// What O_DIRECT asks of offsets, lengths and addresses; enough for every disk.
constexpr u64 kDirectAlignment = 4096;
constexpr u64 kBounceSize = 128 * KiB;

int open_flags(const RawFileOptions& options) {
  return (options.read_only ? O_RDONLY : O_RDWR) | (options.cache.writeback ? 0 : O_DSYNC);
}

// A whole-buffer transfer in as many pieces as the host makes of it. `move` returns the bytes it
// moved, or the error number negated; `at_end` is called with what is left when it moved none.
template <class Span, class Move, class AtEnd>
Result<> transfer(u64 offset, Span data, Move move, AtEnd at_end) {
  while (!data.empty()) {
    const ssize_t moved = move(offset, data);
    if (moved == -EINTR) continue;
    if (moved < 0) return fail("{}", errno_text(static_cast<int>(-moved)));
    if (moved == 0) return at_end(data);
    data = data.subspan(static_cast<std::size_t>(moved));
    offset += static_cast<u64>(moved);
  }
  return {};
}

Result<> zeroes_at_end(std::span<u8> rest) {
  std::ranges::fill(rest, u8{0});
  return {};
}
Result<> full_at_end(std::span<const u8>) { return fail("{}", errno_text(ENOSPC)); }

ssize_t negated_errno(ssize_t moved) { return moved < 0 ? -errno : moved; }

}  // namespace

Result<> read_at(int fd, u64 offset, std::span<u8> data) {
  return transfer(
      offset, data,
      [fd](u64 at, std::span<u8> part) {
        return negated_errno(::pread(fd, part.data(), part.size(), static_cast<off_t>(at)));
      },
      zeroes_at_end);
}

Result<> write_at(int fd, u64 offset, std::span<const u8> data) {
  return transfer(
      offset, data,
      [fd](u64 at, std::span<const u8> part) {
        return negated_errno(::pwrite(fd, part.data(), part.size(), static_cast<off_t>(at)));
      },
      full_at_end);
}

// ---- Opening

Result<std::unique_ptr<RawFile>> RawFile::open(const std::string& filename,
                                               const RawFileOptions& options) {
  if (options.aio == AioMode::Native && !options.cache.direct)
    return fail(
        "aio=native was specified, but it requires cache.direct=on, which was not specified.");
  std::unique_ptr<RawFile> file(new RawFile(filename, options));
  TRY(file->open_files());
  file->engine_ = TRY(make_io_engine(options.aio));
  if (file->direct_)
    file->bounce_ = {static_cast<u8*>(std::aligned_alloc(kDirectAlignment, kBounceSize)),
                     &std::free};
  return file;
}

// The descriptors as the options now are, in place of those there are.
Result<> RawFile::open_files() {
  auto opened = open_host_file(filename_, {.flags = open_flags(options_)});
  if (!opened && !options_.read_only && options_.auto_read_only) {
    options_.read_only = true;
    auto readable = open_host_file(filename_, {.flags = open_flags(options_)});
    options_.read_only = fell_back_ = readable.has_value();
    if (readable) opened = std::move(readable);
  }
  FileDescriptor fd = TRY(std::move(opened));
  auto bytes = size_of(fd.get());
  if (bytes && *bytes == 0) bytes = fail("the image is empty");
  if (!bytes)
    return std::unexpected(
        std::move(bytes).error().within(fmt::format("Could not open '{}'", filename_)));
  const bool block_device = is_block_device(fd.get());
  if (options_.host_device && !block_device)
    return fail("'host_device' driver requires '{}' to be a block device", filename_);
  FileDescriptor direct;
  if (options_.cache.direct) {
    auto past_cache = open_host_file(filename_, {.flags = open_flags(options_) | O_DIRECT});
    if (!past_cache)
      return fail(
          "Could not open '{}': its file system does not support O_DIRECT (cache.direct=on)",
          filename_);
    direct = std::move(*past_cache);
  }
  fd_ = std::move(fd);
  direct_ = std::move(direct);
  size_ = (*bytes + kSectorSize - 1) / kSectorSize * kSectorSize;
  block_device_ = block_device;
  return {};
}

// With auto-read-only a node (-blockdev) is opened for reading until somebody writes to it.
Result<> RawFile::acquire(bool write) {
  if (write && options_.read_only && options_.auto_read_only && !fell_back_) {
    options_.read_only = false;
    if (auto opened = open_files(); !opened) {
      options_.read_only = true;
      return opened;
    }
  }
  if (!options_.lock) return {};
  auto locked =
      lock_image(fd_.get(), write && !options_.read_only ? ImageUse::Write : ImageUse::ReadOnly);
  if (locked) return {};
  unlock_image(fd_.get());
  return std::unexpected(
      std::move(locked).error().within(fmt::format("Could not open '{}'", filename_)));
}

void RawFile::release() {
  if (options_.lock) unlock_image(fd_.get());
}

NodeDetails RawFile::details() const {
  NodeDetails details{.cache = options_.cache,
                      .detect_zeroes = options_.detect_zeroes,
                      .allocated = {},
                      .fell_back = fell_back_};
  // What the host knows by itself: a file system that does not answer keeps nobody waiting.
  struct statx status{};
  constexpr int kNoQuestions = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::statx(fd_.get(), "", kNoQuestions, STATX_BLOCKS, &status) == 0)
    details.allocated = u64{status.stx_blocks} * 512;
  return details;
}

// ---- Moving bytes

bool RawFile::goes_direct(u64 offset, u64 length) const {
  return direct_ && (offset | length) % kDirectAlignment == 0;
}

Result<> RawFile::read_all(u64 offset, std::span<u8> data) {
  return transfer(
      offset, data,
      [this](u64 at, std::span<u8> part) { return engine_->read(fd_.get(), part, at); },
      zeroes_at_end);
}

Result<> RawFile::write_all(u64 offset, std::span<const u8> data) {
  return transfer(
      offset, data,
      [this](u64 at, std::span<const u8> part) { return engine_->write(fd_.get(), part, at); },
      full_at_end);
}

// The last piece of a file that ends in the middle of a block is read in the ordinary way.
Result<> RawFile::read_direct(u64 offset, std::span<u8> data) {
  while (!data.empty()) {
    const auto part = data.first(std::min<std::size_t>(data.size(), kBounceSize));
    const ssize_t got = engine_->read(direct_.get(), {bounce_.get(), part.size()}, offset);
    if (got != static_cast<ssize_t>(part.size()))
      TRY(read_all(offset, part));
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
    const ssize_t put = engine_->write(direct_.get(), {bounce_.get(), part.size()}, offset);
    if (put != static_cast<ssize_t>(part.size())) TRY(write_all(offset, part));
    data = data.subspan(part.size());
    offset += part.size();
  }
  return {};
}

Result<> RawFile::read(u64 offset, std::span<u8> data) {
  return goes_direct(offset, data.size()) ? read_direct(offset, data) : read_all(offset, data);
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
  if (options_.detect_zeroes != DetectZeroes::Off && is_zero(data))
    return write_zeroes(offset, data.size(), options_.detect_zeroes == DetectZeroes::Unmap);
  return goes_direct(offset, data.size()) ? write_direct(offset, data) : write_all(offset, data);
}

Result<> RawFile::sync() {
  while (::fdatasync(fd_.get()) != 0)
    if (errno != EINTR) return fail("{}", errno_text(errno));
  return {};
}

Result<> RawFile::flush() {
  return options_.cache.no_flush || options_.read_only ? Result<>{} : sync();
}

// ---- Zeroes and holes

namespace {

// Done, or not possible here; every other error is one.
enum class HostAnswer : u8 { Done, Cannot, Failed };

HostAnswer allocate(int fd, int mode, u64 offset, u64 length) {
  while (::fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
    if (errno == EINTR) continue;
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL ? HostAnswer::Cannot
                                                                     : HostAnswer::Failed;
  }
  return HostAnswer::Done;
}

}  // namespace

// Asks the host for zeroes, and writes them where it cannot make any.
Result<> RawFile::write_zeroes(u64 offset, u64 length, bool may_unmap) {
  if (options_.read_only) return fail("'{}' is read-only", filename_);
  HostAnswer answer = HostAnswer::Cannot;
  if (may_unmap && options_.discard && !cannot_punch_) {
    answer = allocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
    cannot_punch_ = answer == HostAnswer::Cannot && !block_device_;
  }
  if (answer == HostAnswer::Cannot && !cannot_zero_) {
    answer = allocate(fd_.get(), FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length);
    cannot_zero_ = answer == HostAnswer::Cannot && !block_device_;
  }
  if (answer == HostAnswer::Failed) return fail("{}", errno_text(errno));
  // O_DSYNC is for writes only.
  if (answer == HostAnswer::Done) return options_.cache.writeback ? Result<>{} : sync();
  const std::vector<u8> zeroes(std::min<u64>(length, kBounceSize));
  while (length != 0) {
    const auto part = std::span(zeroes).first(std::min<u64>(length, zeroes.size()));
    TRY(goes_direct(offset, part.size()) ? write_direct(offset, part) : write_all(offset, part));
    offset += part.size();
    length -= part.size();
  }
  return {};
}

// A file system may want to hear of it, and not answer.
RawFile::~RawFile() {
  close_host_file(std::move(fd_));
  close_host_file(std::move(direct_));
}

Result<> RawFile::resize(u64 bytes) {
  if (options_.read_only) return fail("Image is read-only");
  // A device is as large as it is; that it holds more than is used of it is no error.
  if (block_device_) return bytes > size_ ? fail("Cannot grow device files") : Result<>{};
  if (bytes > static_cast<u64>(std::numeric_limits<off_t>::max()) - kSectorSize)
    return fail("Failed to resize the file: {}", errno_text(EFBIG));
  while (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0)
    if (errno != EINTR) return fail("Failed to resize the file: {}", errno_text(errno));
  size_ = (bytes + kSectorSize - 1) / kSectorSize * kSectorSize;
  return {};
}

// A wish: what cannot be freed stays.
Result<> RawFile::discard(u64 offset, u64 length) {
  if (!options_.discard || options_.read_only || cannot_punch_ || length == 0) return {};
  if (block_device_) {
    std::array<u64, 2> range{offset, length};
    if (::ioctl(fd_.get(), BLKDISCARD, range.data()) == 0 || errno == EOPNOTSUPP || errno == EINVAL)
      return {};
    return fail("{}", errno_text(errno));
  }
  const auto answer =
      allocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  cannot_punch_ = answer == HostAnswer::Cannot;
  if (answer == HostAnswer::Failed) return fail("{}", errno_text(errno));
  return {};
}

}  // namespace rhea::block
