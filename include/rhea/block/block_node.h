// SPDX-License-Identifier: GPL-2.0-or-later
// Images: opened files in some format, and how they are opened.
#pragma once

#include "rhea/qom/value.h"
#include "rhea/util/error.h"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rhea {

/// What of the host's caching an image uses, as QEMU's cache.* name it.
struct CacheOptions {
  bool writeback{true};  ///< off: each write reaches the disk before it completes
  bool direct{false};    ///< past the host's page cache
  bool no_flush{false};  ///< flushes are ignored
};
/// "writeback", "writethrough", "none", "directsync" or "unsafe"; nullopt for another word.
std::optional<CacheOptions> parse_cache_mode(std::string_view mode);

/// Who moves the bytes.
enum class AioMode : u8 { Threads, Native, IoUring };
/// What becomes of writes of zeroes.
enum class DetectZeroes : u8 {
  Off,
  On,     ///< the host is told of zeroes instead
  Unmap,  ///< and may free their place
};

template <>
struct EnumTraits<AioMode> {
  static constexpr std::string_view kType = "BlockdevAioOptions";
  static constexpr std::array<std::string_view, 3> kNames = {"threads", "native", "io_uring"};
};
template <>
struct EnumTraits<DetectZeroes> {
  static constexpr std::string_view kType = "BlockdevDetectZeroesOptions";
  static constexpr std::array<std::string_view, 3> kNames = {"off", "on", "unmap"};
};

/// What query-block tells of an image.
struct NodeDetails {
  CacheOptions cache;
  DetectZeroes detect_zeroes{DetectZeroes::Off};
  std::optional<u64> allocated;  ///< bytes of the host's that it takes
  bool fell_back{false};         ///< read-only because the host does not let it be written
};

/// An opened image in some format. Called on its drive's thread only; blocking. What is const may
/// be called on the main thread too.
class BlockNode {
 public:
  BlockNode() = default;
  virtual ~BlockNode() = default;
  BlockNode(const BlockNode&) = delete;
  BlockNode& operator=(const BlockNode&) = delete;

  virtual std::string_view format() const = 0;
  virtual const std::string& filename() const = 0;
  virtual u64 size() const = 0;  ///< bytes
  virtual bool read_only() const = 0;
  virtual Result<> read(u64 offset, std::span<u8> data) = 0;
  virtual Result<> write(u64 offset, std::span<const u8> data) = 0;
  virtual Result<> flush() = 0;
  /// The guest needs these bytes no more: they may read as anything. Ignored unless discard=unmap.
  virtual Result<> discard(u64 /*offset*/, u64 /*length*/) { return {}; }
  virtual Result<> write_zeroes(u64 offset, u64 length, bool may_unmap);
  /// Makes it longer, with zeroes, or shorter.
  virtual Result<> resize(u64 /*bytes*/) {
    return fail("Image format driver does not support resize");
  }
  virtual NodeDetails details() const { return {}; }

  /// Somebody begins to use it: others are kept from it from now on. Main thread, nothing under
  /// way.
  virtual Result<> acquire(bool /*write*/) { return {}; }
  virtual void release() {}

  std::string node_name;  ///< the user's, or "#block…" once it is in a drive
};

struct ImageOptions {
  std::string filename;
  std::string format;  ///< empty: probe; probing never follows references out of the file
  bool read_only{false};
  bool auto_read_only{false};  ///< read-only where the host does not let it be written
  bool snapshot{false};        ///< writes go to a temporary overlay and are lost at exit
  bool locking{true};          ///< keep others from writing the file
  bool host_device{false};     ///< only a block device will do
  bool discard{false};         ///< what the guest discards is freed on the host
  CacheOptions cache{};
  AioMode aio{AioMode::Threads};
  DetectZeroes detect_zeroes{DetectZeroes::Off};
  u64 offset{0};              ///< where in the file the image begins
  std::optional<u64> size{};  ///< how much of the file it is
  std::string node_name{};
};

/// Errors name the file and why: missing, unreadable, a directory, empty, locked, unknown format.
Result<std::unique_ptr<BlockNode>> open_image(const ImageOptions& options);

}  // namespace rhea
