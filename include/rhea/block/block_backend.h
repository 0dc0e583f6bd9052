// SPDX-License-Identifier: GPL-2.0-or-later
// Disks as devices see them: asynchronous byte ranges on an image.
#pragma once

#include "rhea/block/block_node.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rhea::block {
class BlockService;
class RequestQueue;
}  // namespace rhea::block

namespace rhea {

/// A device whose medium can be changed, as its drive sees it. Under the machine's lock.
class MediaDevice {
 public:
  MediaDevice() = default;
  virtual ~MediaDevice() = default;
  MediaDevice(const MediaDevice&) = delete;
  MediaDevice& operator=(const MediaDevice&) = delete;

  virtual bool has_tray() const { return false; }
  virtual bool tray_open() const { return false; }
  /// Whether the guest forbids to open the tray.
  virtual bool medium_locked() const { return false; }
  /// Whether it writes to its medium where that lets it.
  virtual bool writes() const { return false; }
  /// Somebody pressed the button of a locked tray: the guest is to hear of it. `force` unlocks.
  virtual void eject_requested(bool /*force*/) {}
  /// The tray was closed (opened); without a tray: a medium came (went).
  virtual void medium_changed(bool loaded) = 0;
};

/// What becomes of a request that fails on the host (rerror=, werror=).
enum class OnError : u8 {
  Report,  ///< the guest hears of it
  Ignore,  ///< the guest hears that it went well
  Enospc,  ///< as Stop for a host without room, as Report for everything else
  Stop,    ///< the machine stops; the request is made again when it goes on
  Auto,    ///< of a device: as its drive has it
};
template <>
struct EnumTraits<OnError> {
  static constexpr std::string_view kType = "BlockdevOnError";
  static constexpr std::array<std::string_view, 5> kNames = {"report", "ignore", "enospc", "stop",
                                                             "auto"};
};
struct ErrorPolicy {
  OnError read{OnError::Report}, write{OnError::Enospc};
};
enum class ErrorAction : u8 { Report, Ignore, Stop };

enum class DriveInterface : u8 { None, Ide, Floppy, Virtio, Scsi, Pflash };

/// A drive: what `drive=ID` of a device names. Object under /drives/ID.
/// Requests are started and completed on the main loop under the machine's lock (or started on a
/// vCPU thread that holds it). Completions never come from within the call that started the
/// request.
class BlockBackend final : public Object {
 public:
  static constexpr std::string_view kName = "block-backend";
  static constexpr std::string_view kLinkRoot = "/drives";
  using Extendable = BlockBackend;
  using Completion = std::function<void(Result<>)>;
  using Ticket = u64;  ///< names a request

  BlockBackend();
  ~BlockBackend() override;

  // Medium. A drive without one fails every request.
  bool inserted() const;
  u64 size() const;  ///< bytes; 0 without medium
  bool read_only() const;
  std::string filename() const;
  std::string format() const;
  const std::shared_ptr<BlockNode>& medium() const;  ///< null without one
  /// Whether the medium that is or was in it last could not be written.
  bool was_read_only() const { return was_read_only_; }
  /// Puts `node` (or none) in place of the medium, which it releases. Requests that are in flight
  /// are waited for: BlockService::when_quiet() first, where the disk may take long. The device
  /// does not hear of it.
  void set_medium(std::shared_ptr<BlockNode> node);
  /// set_medium, and the device hears of it.
  void insert(std::shared_ptr<BlockNode> node);
  void eject();
  /// Makes this a mere name for a node of -blockdev: devices that are given it get a drive of their
  /// own (take_drive).
  void hold(std::shared_ptr<BlockNode> node);
  bool is_node() const { return is_node_; }
  bool is_cdrom() const { return cdrom_; }
  void set_cdrom(bool on) { cdrom_ = on; }

  // The device that it is in: one at a time. `media` is null when its medium stays.
  Result<> attach(Device& device, MediaDevice* media = nullptr);
  void detach();
  const Device* device() const { return device_; }
  MediaDevice* media() const { return media_; }
  /// Its id, or its path; empty without a device.
  std::string device_name() const;
  /// Whether the medium may be changed: a drive in no device is nobody's business.
  bool removable() const { return device_ == nullptr || media_ != nullptr; }
  /// Made for a device without drive=; has no name for the user.
  bool anonymous() const { return name().starts_with('#'); }
  /// How the user knows it; empty when anonymous.
  std::string shown_name() const { return anonymous() ? std::string() : name(); }

  // Requests, done in the order in which they come. `done` keeps the buffer alive: it is called, or
  // dies with the request when that is withdrawn or the drive ends. Ranges beyond the end fail.
  // Nothing here waits: how many requests there may be is for the device to bound.
  Ticket read(u64 offset, std::span<u8> data, Completion done);
  Ticket write(u64 offset, std::span<const u8> data, Completion done);
  Ticket flush(Completion done);
  Ticket discard(u64 offset, u64 length, Completion done);
  /// Writes zeroes; with `may_unmap` the host may free their place.
  Ticket write_zeroes(u64 offset, u64 length, bool may_unmap, Completion done);
  /// Makes the image longer or shorter, behind the requests that are there; then the device hears
  /// of it.
  void resize(u64 bytes, Completion done);
  /// For a device that allows it, until it is detached.
  void on_resized(std::function<void()> then) { resized_ = std::move(then); }
  bool may_resize() const { return device_ == nullptr || resized_ != nullptr; }
  /// Takes a request back that has not begun, or whose completion has not; false when it is too
  /// late.
  bool withdraw(Ticket ticket);
  /// Waits until no request is in flight, completing them. The disk may take for ever: not while a
  /// guest runs or a client waits.
  void drain();
  /// The same: false when it was not so by `until`.
  bool drain(std::chrono::steady_clock::time_point until);
  /// The same, for as long as the end of a drive or of the program may wait.
  bool finish();
  unsigned in_flight() const;

  // Errors of the host. The policy is for devices that can make a request again; for all others it
  // is to report.
  const ErrorPolicy& error_policy() const;
  void set_error_policy(ErrorPolicy policy);
  /// What a device's properties say of it, where they say something.
  void set_error_policy_of(OnError read, OnError write);
  /// Until it is detached the device asks error_action() when a request of its has failed.
  void let_policy_decide();
  /// From within a completion that tells of an error: what its device makes of it.
  ErrorAction error_action() const;
  /// Calls `then` once, when the machine runs again.
  void when_running(std::function<void()> then);
  /// "ok", "failed" or "nospace", the last two until the machine goes on; empty where no error
  /// stops it.
  std::string_view io_status() const;

  // Set by -drive for the board.
  DriveInterface interface{DriveInterface::None};
  int bus{-1}, unit{-1};
  std::string serial;

  struct Statistics {
    u64 read_bytes{}, written_bytes{}, discarded_bytes{};
    u64 reads{}, writes{}, flushes{}, discards{};
  };
  const Statistics& statistics() const { return statistics_; }

 private:
  friend class block::BlockService;
  void failed(const BlockNode& node, bool read, const Error& error);
  void machine_runs();
  bool quiet() const;
  void hold();
  void release();
  block::RequestQueue& queue();

  struct Impl;
  struct Request {
    u64 Statistics::* counter{};
    u64 Statistics::* bytes_counter{};
    u64 bytes{};
    u64 end{};  ///< of the range
  };
  Ticket start(Request request, Result<> allowed, std::function<Result<>(BlockNode&)> work,
               Completion done);

  std::unique_ptr<Impl> impl_;
  Device* device_{};
  MediaDevice* media_{};
  std::function<void()> resized_;
  bool cdrom_{false};
  bool was_read_only_{false};
  bool is_node_{false};
  Statistics statistics_;
};

/// A drive from -drive's text, e.g.
/// "file=a.img,format=raw,if=ide,index=1,media=cdrom,readonly=on,id=x".
Result<BlockBackend*> create_drive(Machine& machine, std::string_view option_text);
/// All drives in order of creation, without mere nodes.
std::vector<BlockBackend*> drives(Machine& machine);
/// A drive or a node by its name.
BlockBackend* find_drive(Machine& machine, std::string_view id);
/// An empty drive for a device that takes media and was given no drive; remove_drive ends it.
BlockBackend& add_anonymous_drive(Machine& machine);
void remove_drive(BlockBackend& drive);

/// What a device wants of its medium.
enum class DriveUse : u8 { Read, WriteIfPossible, Write };
/// What a device does in realize() with its drive= property, a member. A node is taken out of the
/// hands of others and gets a drive; no drive at all becomes an empty one. The device has it until
/// it is unrealized; requests that are under way then are completed for nobody.
Result<> take_drive(BlockBackend*& drive, Device& device, DriveUse use,
                    MediaDevice* media = nullptr);

}  // namespace rhea
