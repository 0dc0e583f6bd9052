// SPDX-License-Identifier: GPL-2.0-or-later
// Disks as devices see them: asynchronous byte ranges on an image.
#pragma once

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rhea {

/// An opened image in some format. Called on the I/O thread only; blocking.
class BlockNode {
 public:
  virtual ~BlockNode() = default;
  virtual std::string_view format() const = 0;
  virtual const std::string& filename() const = 0;
  virtual u64 size() const = 0;  ///< bytes
  virtual bool read_only() const = 0;
  virtual Result<> read(u64 offset, std::span<u8> data) = 0;
  virtual Result<> write(u64 offset, std::span<const u8> data) = 0;
  virtual Result<> flush() = 0;
};

enum class DriveInterface : u8 { None, Ide, Floppy, Virtio, Scsi, Pflash };

/// A drive: what `drive=ID` of a device names. Object under /drives/ID.
/// Requests are started and completed on the main loop under the machine's lock (or started on a
/// vCPU thread that holds it). Completions come in any order, never from within the call that
/// started the request.
class BlockBackend final : public Object {
 public:
  static constexpr std::string_view kName = "block-backend";
  static constexpr std::string_view kLinkRoot = "/drives";
  using Extendable = BlockBackend;
  using Completion = std::function<void(Result<>)>;

  BlockBackend();
  ~BlockBackend() override;

  // Medium. A drive without one fails every request.
  bool inserted() const;
  u64 size() const;  ///< bytes; 0 without medium
  bool read_only() const;
  std::string filename() const;
  std::string format() const;
  void insert(std::unique_ptr<BlockNode> node);
  /// Waits for requests in flight, then takes the medium out.
  void eject();
  bool is_cdrom() const { return cdrom_; }
  void set_cdrom(bool on) { cdrom_ = on; }
  /// Told when the medium changes (inserted or not).
  void on_media_change(std::function<void(bool inserted)> observer);

  // Requests. The buffer must live until the completion. Ranges beyond the end fail.
  void read(u64 offset, std::span<u8> data, Completion done);
  void write(u64 offset, std::span<const u8> data, Completion done);
  void flush(Completion done);
  /// Runs the main loop's I/O part until no request is in flight; for reset, eject, save, pause.
  void drain();
  unsigned in_flight() const;

  // Set by -drive for the board.
  DriveInterface interface{DriveInterface::None};
  int bus{-1}, unit{-1};
  std::string serial;
  bool attached{false};  ///< some device uses it

  struct Statistics {
    u64 read_bytes{}, written_bytes{}, reads{}, writes{}, flushes{};
  };
  const Statistics& statistics() const { return statistics_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  bool cdrom_{false};
  Statistics statistics_;
};

/// The host's part in writing, as QEMU's cache= names it.
enum class CacheMode : u8 {
  Writeback,     ///< the host's page cache; flushes reach the disk
  Writethrough,  ///< each write reaches the disk before it completes
  None,          ///< past the host's page cache
  DirectSync,    ///< past it, and each write reaches the disk
  Unsafe,        ///< flushes are ignored
};
template <>
struct EnumTraits<CacheMode> {
  static constexpr std::string_view kType = "CacheMode";
  static constexpr std::array<std::string_view, 5> kNames = {"writeback", "writethrough", "none",
                                                             "directsync", "unsafe"};
};

struct ImageOptions {
  std::string filename;
  std::string format;  ///< empty: probe; probing never follows references out of the file
  bool read_only{false};
  bool snapshot{false};  ///< writes go to a temporary overlay and are lost at exit
  CacheMode cache{CacheMode::Writeback};
};

/// Errors name the file and why: missing, unreadable, a directory, empty, locked, unknown format.
Result<std::unique_ptr<BlockNode>> open_image(const ImageOptions& options);

/// A drive from -drive's text, e.g.
/// "file=a.img,format=raw,if=ide,index=1,media=cdrom,readonly=on,id=x".
Result<BlockBackend*> create_drive(Machine& machine, std::string_view option_text);
/// All drives in order of creation.
std::vector<BlockBackend*> drives(Machine& machine);
BlockBackend* find_drive(Machine& machine, std::string_view id);

}  // namespace rhea
