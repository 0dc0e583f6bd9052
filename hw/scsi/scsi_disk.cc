// SPDX-License-Identifier: GPL-2.0-or-later
// Disks on a SCSI bus: properties, medium, the commands that all of them have.
#include "hw/scsi/scsi_disk.h"

#include "block/media.h"
#include "hw/scsi/big_endian.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {
namespace {

constexpr u32 kSmallestBlock = 512, kLargestBlock = 2 * MiB, kUsualDiscard = 4 * KiB;

Result<> check_length(std::string_view name, std::string_view text, std::size_t most) {
  if (text.size() <= most) return {};
  return fail("Property '{}': '{}' is longer than {} characters", name, text, most);
}

Result<> check_multiple(std::string_view name, u64 bytes, u32 of) {
  if (bytes % of == 0) return {};
  return fail("Property '{}': {} must be a multiple of logical_block_size, {}", name, bytes, of);
}

Result<> check_block(std::string_view name, u32 bytes) {
  if (std::has_single_bit(bytes) && bytes >= kSmallestBlock && bytes <= kLargestBlock) return {};
  return fail("Property '{}': {} is not a power of two between 512 B and 2 MiB", name, bytes);
}

}  // namespace

void ScsiDisk::describe(Schema<ScsiDisk>& s) {
  s.link("drive", &ScsiDisk::drive_).help("ID of a drive, or a node, to use as a backend");
  BootIndex::declare(s, "bootindex", &ScsiDisk::boot_index_);
  s.property("serial", &ScsiDisk::serial_, "").help("at most 36 characters");
  s.property("vendor", &ScsiDisk::vendor_, "QEMU").help("at most 8 characters");
  s.property("product", &ScsiDisk::product_, "").help("at most 16 characters");
  s.property("ver", &ScsiDisk::version_, "2.5+").help("at most 4 characters");
  s.property("device_id", &ScsiDisk::device_id_, "")
      .help("its name on page 83h; usually the serial number, or the drive's name");
  s.property("wwn", &ScsiDisk::wwn_, u64{0}).help("world wide name; 0: none");
  s.property("port_wwn", &ScsiDisk::port_wwn_, u64{0}).help("that of its port; 0: none");
  s.property("port_index", &ScsiDisk::port_index_, u16{0}).help("number of its port; 0: none");
  s.property("scsi_version", &ScsiDisk::scsi_version_, i32{5})
      .range(0, 7)
      .help("that INQUIRY claims; 5: SPC-3");
  s.property("logical_block_size", &ScsiDisk::block_bytes_, u32{0}).as_size().help("0: the usual");
  s.property("physical_block_size", &ScsiDisk::physical_bytes_, u32{0})
      .as_size()
      .help("0: that of the logical ones");
  s.property("min_io_size", &ScsiDisk::min_io_bytes_, u32{0}).as_size().help("advice; 0: none");
  s.property("opt_io_size", &ScsiDisk::opt_io_bytes_, u32{0}).as_size().help("advice; 0: none");
  s.property("discard_granularity", &ScsiDisk::discard_bytes_, ScsiDisk::kAll)
      .as_size()
      .help("0: blocks are never given back; all ones: 4 KiB, or a block");
  s.property("max_io_size", &ScsiDisk::most_io_bytes_, u64{0x7fff'ffff})
      .as_size()
      .help("of one command");
  s.property("write-cache", &ScsiDisk::write_cache_property_, OnOffAuto::Auto)
      .help("off: each write reaches the disk before it completes; auto: as the drive's cache=");
  s.property("rerror", &ScsiDisk::on_read_error_, OnError::Auto)
      .help("when the host fails to read: report, ignore, enospc, stop; auto: as the drive has it");
  s.property("werror", &ScsiDisk::on_write_error_, OnError::Auto).help("when it fails to write");
  s.state("tray-open", &ScsiDisk::tray_open_);
  s.state("locked", &ScsiDisk::locked_);
  s.state("stopped", &ScsiDisk::stopped_);
}

// ---- Made of

Result<> ScsiDisk::realize() {
  TRY(check_texts());
  TRY(check_sizes());
  TRY(check_kind());
  TRY(boot_index_.join(*this));
  TRY(take_drive(drive_, *this, use(), removable_ ? this : nullptr));
  identify();
  drive_->set_error_policy_of(on_read_error_, on_write_error_);
  drive_->let_policy_decide();
  transfers_.init(machine(), host(), *drive_, [this](bool write) {
    if (const ScsiSense missing = not_ready(); missing != sense::kNone) return missing;
    return write ? sense::kWriteError : sense::kReadError;
  });
  return ScsiDevice::realize();
}

Result<> ScsiDisk::check_texts() const {
  TRY(check_length("serial", serial_, 36));
  TRY(check_length("vendor", vendor_, 8));
  TRY(check_length("product", product_, 16));
  TRY(check_length("ver", version_, 4));
  return check_length("device_id", device_id_, 247);
}

Result<> ScsiDisk::check_sizes() {
  if (block_bytes_ == 0) block_bytes_ = kind_.block_bytes;
  if (physical_bytes_ == 0) physical_bytes_ = block_bytes_;
  TRY(check_block("logical_block_size", block_bytes_));
  TRY(check_block("physical_block_size", physical_bytes_));
  if (block_bytes_ > physical_bytes_)
    return fail("logical_block_size > physical_block_size not supported");
  TRY(check_multiple("min_io_size", min_io_bytes_, block_bytes_));
  TRY(check_multiple("opt_io_size", opt_io_bytes_, block_bytes_));
  if (min_io_bytes_ / block_bytes_ > 0xffff)
    return fail("Property 'min_io_size': {} is more than 65535 logical blocks", min_io_bytes_);
  if (discard_bytes_ == kAll) discard_bytes_ = std::max(block_bytes_, kUsualDiscard);
  TRY(check_multiple("discard_granularity", discard_bytes_, block_bytes_));
  if (most_io_bytes_ < block_bytes_)
    return fail("Property 'max_io_size': {} is less than a block, {}", most_io_bytes_,
                block_bytes_);
  return {};
}

/// What the user did not say of it.
void ScsiDisk::identify() {
  if (serial_.empty()) serial_ = drive_->serial.substr(0, 36);
  if (product_.empty()) product_ = kind_.product;
  if (device_id_.empty()) device_id_ = serial_.empty() ? drive_->shown_name() : serial_;
}

// ---- The medium

void ScsiDisk::reset(ResetKind kind) {
  tray_open_ = locked_ = stopped_ = false;
  ScsiDevice::reset(kind);
}

ScsiSense ScsiDisk::not_ready() const {
  if (tray_open_) return sense::kTrayOpen;
  if (!drive_->inserted() || drive_->size() < block_bytes_) return sense::kNoMedium;
  return stopped_ ? sense::kStopped : sense::kNone;
}

void ScsiDisk::eject_requested(bool force) {
  if (force) locked_ = false;
}

void ScsiDisk::medium_changed(bool loaded) {
  tray_open_ = !loaded;
  forget_attention(sense::kMediumChanged);
  if (has_medium()) attention(sense::kMediumChanged);
}

// ---- Commands

void ScsiDisk::begin(const Task& task, DiskWork work) {
  if (!transfers_.has_room()) return task->end({.status = ScsiStatus::TaskSetFull});
  transfers_.add(task, std::move(work));
}

void ScsiDisk::test_unit_ready(const Task& task) {
  const ScsiSense missing = not_ready();
  missing == sense::kNone ? task->succeed() : task->refuse(missing);
}

/// Sense data go with the commands that they are of, so that there is what is to be told alone.
void ScsiDisk::request_sense(const Task& task) {
  constexpr u8 kDescriptors = 0x01;
  if ((task->cdb[1] & kDescriptors) != 0) return task->refuse(sense::kBadField);
  task->reply(fixed_sense(take_attention()), task->cdb[4]);
}

void ScsiDisk::start_stop(const Task& task) {
  const bool start = (task->cdb[4] & 1) != 0, tray = (task->cdb[4] & 2) != 0;
  if ((task->cdb[4] & 0xf0) != 0) return task->succeed();  // power conditions
  if (!tray) {
    stopped_ = !start;
    return task->succeed();
  }
  if (!removable_) return task->refuse(sense::kBadField);
  if (!start && locked_ && !tray_open_) return task->refuse(sense::kRemovalPrevented);
  stopped_ = stopped_ && !start;
  if (start == tray_open_) {
    medium_changed(start);
    block::guest_moved_tray(*drive_, tray_open_);
  }
  task->succeed();
}

void ScsiDisk::prevent_allow(const Task& task) {
  locked_ = removable_ && (task->cdb[4] & 1) != 0;
  task->succeed();
}

void ScsiDisk::reserve(const Task& task) {
  constexpr u8 kThirdParty = 0x10, kExtent = 0x01;
  if ((task->cdb[1] & (kThirdParty | kExtent)) != 0) return task->refuse(sense::kBadField);
  task->succeed();
}

/// The default self-test finds nothing.
void ScsiDisk::send_diagnostic(const Task& task) {
  constexpr u8 kOtherTests = 0xe0;
  if ((task->cdb[1] & kOtherTests) != 0 || task->field(3, 2) != 0)
    return task->refuse(sense::kBadField);
  task->succeed();
}

void ScsiDisk::read_capacity(const Task& task) {
  constexpr u8 kPartial = 0x01;
  if ((task->cdb[8] & kPartial) == 0 && task->field(2, 4) != 0)
    return task->refuse(sense::kBadField);
  std::array<u8, 8> data{};
  put_be(data, 0, std::min<u64>(blocks() - 1, ~u32{0}), 4);
  put_be(data, 4, block_bytes_, 4);
  task->reply(data, data.size());
}

namespace {
const RegisterAbstractType<ScsiDisk, ScsiDevice> registration;
}  // namespace

}  // namespace rhea::hw
