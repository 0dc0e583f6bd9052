// SPDX-License-Identifier: GPL-2.0-or-later
// RAM blocks: getting the host memory.
#include "rhea/softmmu/ram_block.h"

#include "rhea/util/error.h"
#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#ifdef __SANITIZE_THREAD__
// Of the thread sanitizer's run time.
extern "C" void AnnotateBenignRaceSized(const char* file, int line, const volatile void* memory,
                                        std::size_t size, const char* what);
#endif

namespace rhea {
namespace {

/// Processors and devices access guest memory at the same time, as they do in a real machine, and
/// it is up to the guest to put that in order: the one memory where the thread sanitizer has
/// nothing to say. All races elsewhere are ours.
void expect_races([[maybe_unused]] void* memory, [[maybe_unused]] u64 size) {
#ifdef __SANITIZE_THREAD__
  AnnotateBenignRaceSized(__FILE__, __LINE__, memory, size, "guest memory");
#endif
}

constexpr u64 kHugePageSize = 2 * MiB;
/// What is smaller is a device's, and mostly empty.
constexpr u64 kLeastForHugePages = 32 * MiB;
constexpr u64 kMaxBlockSize = u64{1} << 46;
constexpr std::size_t kMaxMemfdName = 200;

constexpr u64 round_up(u64 value, u64 unit) { return (value + unit - 1) & ~(unit - 1); }

Result<FileDescriptor> make_memfd(const std::string& id, u64 size, bool huge) {
  FileDescriptor fd(::memfd_create(id.substr(0, kMaxMemfdName).c_str(),
                                   MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB : 0u)));
  if (!fd) return fail("RAM block '{}': cannot create a memfd: {}", id, errno_text(errno));
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return fail("RAM block '{}': cannot size the memfd to {} bytes: {}", id, size,
                errno_text(errno));
  // Whoever is given it could end us by cutting it short.
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return fd;
}

/// A directory gets a nameless file of its own; a file is created or, when it has a size, must be
/// large enough.
Result<FileDescriptor> open_backing(const std::string& id, const std::string& path) {
  struct stat status{};
  FileDescriptor fd;
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    std::string pattern = path + "/rhea-ram.XXXXXX";
    fd = FileDescriptor(::mkostemp(pattern.data(), O_CLOEXEC));
    if (fd) ::unlink(pattern.c_str());
  } else {
    auto opened = open_host_file(path, {.flags = O_RDWR | O_CREAT,
                                        .kinds = FileKinds::Images | FileKinds::CharDevice,
                                        .mode = 0644});
    if (!opened)
      return std::unexpected(
          std::move(opened).error().within(fmt::format("RAM block '{}': mem-path", id)));
    return opened;
  }
  if (!fd) return fail("RAM block '{}': mem-path '{}': {}", id, path, errno_text(errno));
  return fd;
}

Result<FileDescriptor> open_file(const std::string& id, const std::string& path) {
  return ask_file_system<FileDescriptor>(path, [id, path] { return open_backing(id, path); });
}

/// A new file gets the size; one that has a size must be large enough.
Result<> size_file(int fd, const std::string& id, u64 size, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0)
    return fail("RAM block '{}': cannot look at mem-path '{}': {}", id, path, errno_text(errno));
  if (!S_ISREG(status.st_mode)) return {};
  if (status.st_size == 0 && ::ftruncate(fd, static_cast<off_t>(size)) != 0)
    return fail("RAM block '{}': cannot size mem-path '{}' to {} bytes: {}", id, path, size,
                errno_text(errno));
  if (status.st_size != 0 && static_cast<u64>(status.st_size) < size)
    return fail("RAM block '{}': mem-path '{}' has {} bytes, {} are needed", id, path,
                status.st_size, size);
  return {};
}

struct Mapping {
  u64 size;
  u64 alignment;
  int fd;
  int flags;
};

/// Maps at an aligned address (so that the kernel may use huge pages) with an inaccessible page
/// behind.
void* map_aligned(const Mapping& mapping) {
  const u64 whole = mapping.size + mapping.alignment + kPageSize;
  void* area =
      ::mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) return area;
  auto* const first = static_cast<u8*>(area);
  const u64 skip = round_up(reinterpret_cast<std::uintptr_t>(first), mapping.alignment) -
                   reinterpret_cast<std::uintptr_t>(first);
  void* const host = ::mmap(first + skip, mapping.size, PROT_READ | PROT_WRITE,
                            mapping.flags | MAP_FIXED, mapping.fd, 0);
  if (host == MAP_FAILED) {
    const int error = errno;
    ::munmap(area, whole);
    errno = error;
    return host;
  }
  const u64 used = skip + mapping.size + kPageSize;
  if (skip != 0) ::munmap(first, skip);
  if (used < whole) ::munmap(first + used, whole - used);
  return host;
}

bool populate(u8* host, u64 size) {
  if (::madvise(host, size, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;
  // A kernel before 5.14: write every page with what it holds.
  for (u64 at = 0; at < size; at += kPageSize) {
    volatile u8& byte = host[at];
    byte = byte;
  }
  return true;
}

/// The size of the pages that a file system's files are mapped with.
u64 page_size_of(int fd) {
  struct statfs status{};
  const bool huge = ::fstatfs(fd, &status) == 0 && status.f_type == HUGETLBFS_MAGIC;
  return huge ? static_cast<u64>(status.f_bsize) : kPageSize;
}

}  // namespace

Result<std::unique_ptr<RamBlock>> RamBlock::create(std::string id, u64 size,
                                                   const RamOptions& options) {
  if (size == 0 || size > kMaxBlockSize)
    return fail("RAM block '{}': a size of {} bytes is out of range", id, size);
  std::unique_ptr<RamBlock> block(new RamBlock);
  block->id_ = std::move(id);
  block->size_ = round_up(size, options.backing == RamBacking::Huge ? kHugePageSize : kPageSize);
  TRY(block->map(options));
  return block;
}

Result<> RamBlock::map(const RamOptions& options) {
  Mapping mapping{.size = size_, .alignment = kPageSize, .fd = -1, .flags = MAP_SHARED};
  if (size_ >= kHugePageSize) mapping.alignment = kHugePageSize;
  switch (options.backing) {
    case RamBacking::Anonymous: mapping.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE; break;
    case RamBacking::Memfd: fd_ = TRY(make_memfd(id_, size_, false)); break;
    case RamBacking::Huge: fd_ = TRY(make_memfd(id_, size_, true)); break;
    case RamBacking::File:
      fd_ = TRY(open_file(id_, options.path));
      mapping.alignment = std::max(mapping.alignment, page_size_of(fd_.get()));
      size_ = round_up(size_, page_size_of(fd_.get()));
      mapping.size = size_;
      TRY(size_file(fd_.get(), id_, size_, options.path));
      if (!options.share) mapping.flags = MAP_PRIVATE | MAP_NORESERVE;
      break;
  }
  mapping.fd = fd_.get();
  void* const host = map_aligned(mapping);
  if (host == MAP_FAILED)
    return fail("RAM block '{}': cannot get {} bytes of {}: {}", id_, size_,
                options.backing == RamBacking::Huge ? "huge pages" : "memory", errno_text(errno));
  host_ = static_cast<u8*>(host);
  // Nobody would see there what the guest writes.
  if ((mapping.flags & MAP_SHARED) == 0) fd_.reset();
  expect_races(host_, size_);
  // A child process has no business with the guest's memory, and copying its page tables costs
  // time.
  ::madvise(host_, size_, MADV_DONTFORK);
  // Before anything is allocated.
  if (size_ >= kLeastForHugePages) ::madvise(host_, size_, MADV_HUGEPAGE);
  if (options.prealloc && !populate(host_, size_))
    return fail("RAM block '{}': cannot preallocate {} bytes: {}", id_, size_, errno_text(errno));
  return {};
}

RamBlock::~RamBlock() {
  if (host_ != nullptr) ::munmap(host_, size_ + kPageSize);
  for (auto& bitmap : dirty_) delete[] bitmap.load(std::memory_order_relaxed);
}

}  // namespace rhea
