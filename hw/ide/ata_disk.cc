// SPDX-License-Identifier: GPL-2.0-or-later
// ide-hd: declaration, geometry, and the sector transfers.
#include "hw/ide/ata_disk.h"

#include "hw/ide/ata_sector_commands.h"
#include "hw/ide/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u64 kSector = 512;
constexpr u32 kChunkSectors = IdeDevice::kBufferSize / kSector;
constexpr u8 kMaxMultiple = 16;

bool is_write(AtaOp op) { return op == AtaOp::WritePio || op == AtaOp::WriteDma; }

}  // namespace

void AtaDisk::describe(Schema<AtaDisk>& s) {
  s.help("virtual IDE disk");
  s.property("cyls", &AtaDisk::cylinders_, u32{0}).range(0, 65535);
  s.property("heads", &AtaDisk::heads_, u32{0}).range(0, 16);
  s.property("secs", &AtaDisk::sectors_per_track_, u32{0}).range(0, 255);
  s.state("chs-heads", &AtaDisk::chs_heads_).range(0, 16);
  s.state("chs-sectors", &AtaDisk::chs_sectors_).range(0, 255);
  s.state("multiple", &AtaDisk::multiple_).range(0, kMaxMultiple);
  s.state("write-cache", &AtaDisk::write_cache_);
  s.state("look-ahead", &AtaDisk::look_ahead_);
  s.state("smart", &AtaDisk::smart_enabled_);
  s.state("standby", &AtaDisk::standby_);
  s.state("sector-buffer", &AtaDisk::sector_buffer_);
  s.state("op", &AtaDisk::op_);
  s.state("lba48", &AtaDisk::lba48_);
  s.state("write-through", &AtaDisk::write_through_);
  s.state("block-sectors", &AtaDisk::block_sectors_).range(1, kMaxMultiple);
}

Result<> AtaDisk::choose_geometry() {
  if ((cylinders_ | heads_ | sectors_per_track_) != 0) {
    if (cylinders_ == 0 || heads_ == 0 || sectors_per_track_ == 0)
      return fail("Properties 'cyls', 'heads' and 'secs' must be given together");
  } else {
    heads_ = 16;
    sectors_per_track_ = 63;
    cylinders_ = static_cast<u32>(std::clamp<u64>(sectors_ / (16 * 63), 2, 16383));
  }
  native_ = {.cylinders = cylinders_, .heads = heads_, .sectors = sectors_per_track_};
  return {};
}

Result<> AtaDisk::realize() {
  if (drive_ == nullptr) return fail("Device 'ide-hd': No drive specified");
  if (!drive_->inserted())
    return fail("Device 'ide-hd' needs media, but drive '{}' is empty", drive_->name());
  sectors_ = drive_->size() / kSector;
  if (sectors_ == 0)
    return fail("Device 'ide-hd': drive '{}' ('{}') has no sectors", drive_->name(),
                drive_->filename());
  if (logical_block_size_ != kSector)
    return fail("Property 'logical_block_size' must be 512 for IDE, not {}", logical_block_size_);
  TRY(choose_geometry());
  TRY(IdeDevice::realize());
  if (model_.empty()) model_ = "QEMU HARDDISK";
  // The guest sees it when it asks IDENTIFY again; the geometry stays.
  drive_->on_resized([this] { sectors_ = drive_->size() / kSector; });
  return {};
}

bool AtaDisk::starts_with_write_cache() const {
  if (write_cache_property_ != OnOffAuto::Auto) return write_cache_property_ == OnOffAuto::On;
  return !drive_->inserted() || drive_->medium()->details().cache.writeback;
}

void AtaDisk::reset(ResetKind kind) {
  chs_heads_ = native_.heads;
  chs_sectors_ = native_.sectors;
  multiple_ = kMaxMultiple;
  look_ahead_ = smart_enabled_ = true;
  write_cache_ = starts_with_write_cache();
  write_through_ = false;
  trim_entry_ = 0;
  standby_ = false;
  sector_buffer_ = {};
  lba48_ = false;
  block_sectors_ = 1;
  IdeDevice::reset(kind);
}

Result<> AtaDisk::post_load(unsigned version) {
  TRY(IdeDevice::post_load(version));
  return check_extent(sectors_);
}

void AtaDisk::set_signature() {
  task_.count = task_.lba_low = 1;
  task_.lba_mid = task_.lba_high = 0;
  task_.device = 0;
  task_.status = kStatusReady | kStatusSeekComplete;
}

void AtaDisk::abort(u8 error) {
  op_ = AtaOp::None;
  finish(kStatusReady | kStatusSeekComplete | kStatusError, error, true);
}

// ---- Addresses

std::optional<u64> AtaDisk::address(bool lba48) const {
  const u64 low = u64{task_.lba_high} << 16 | u64{task_.lba_mid} << 8 | task_.lba_low;
  if (lba48)
    return u64{task_.previous_lba_high} << 40 | u64{task_.previous_lba_mid} << 32 |
           u64{task_.previous_lba_low} << 24 | low;
  if ((task_.device & kDeviceLba) != 0) return u64{task_.device & 0x0fU} << 24 | low;
  const u32 cylinder = static_cast<u32>(low >> 8);
  const u32 head = task_.device & 0x0f;
  const u32 sector = task_.lba_low;
  if (head >= chs_heads_ || sector == 0 || sector > chs_sectors_) return std::nullopt;
  return (u64{cylinder} * chs_heads_ + head) * chs_sectors_ + sector - 1;
}

// Where the last sector was, or where it went wrong, in the kind of address that the host used.
void AtaDisk::set_address(u64 lba) {
  if (lba48_) {
    task_.previous_lba_low = static_cast<u8>(lba >> 24);
    task_.previous_lba_mid = static_cast<u8>(lba >> 32);
    task_.previous_lba_high = static_cast<u8>(lba >> 40);
  } else if ((task_.device & kDeviceLba) != 0) {
    task_.device = static_cast<u8>((task_.device & 0xf0) | (lba >> 24 & 0x0f));
  } else if (chs_heads_ != 0 && chs_sectors_ != 0) {
    const u64 track = lba / chs_sectors_;
    task_.device = static_cast<u8>((task_.device & 0xf0) | track % chs_heads_);
    lba = (track / chs_heads_ & 0xffff) << 8 | (lba % chs_sectors_ + 1);
  }
  task_.lba_low = static_cast<u8>(lba);
  task_.lba_mid = static_cast<u8>(lba >> 8);
  task_.lba_high = static_cast<u8>(lba >> 16);
}

// ---- Transfers

void AtaDisk::sectors_command(const SectorCommand& command) {
  u32 count = task_.count;
  if (command.lba48) count |= u32{task_.previous_count} << 8;
  if (count == 0) count = command.lba48 ? 65536 : 256;
  lba48_ = command.lba48;
  standby_ = false;
  if (command.multiple && multiple_ == 0) return abort();
  if (is_write(command.op) && drive_->read_only()) return abort();
  const auto lba = address(command.lba48);
  if (!lba || *lba >= sectors_ || count > sectors_ - *lba) {
    log_guest(kName, "{} sectors at {} are beyond the end", count, lba.value_or(0));
    return abort(kErrorNotFound);
  }
  ide_sectors(*this, ide_bus().name(), *lba, count);
  op_ = command.op;
  lba_ = *lba;
  remaining_ = count;
  block_sectors_ = command.multiple ? multiple_ : 1;
  write_through_ = is_write(op_) && (!write_cache_ || command.reaches_disk);
  move_chunk(true);
}

void AtaDisk::move_chunk(bool first) {
  chunk_ = std::min(remaining_, kChunkSectors);
  const auto bytes = static_cast<u32>(chunk_ * kSector);
  switch (op_) {
    case AtaOp::WritePio: return pio_out(bytes, static_cast<u32>(block_sectors_ * kSector), !first);
    case AtaOp::WriteDma: return dma_out(bytes);
    default: return read_drive(lba_ * kSector, bytes);
  }
}

void AtaDisk::drive_done(bool ok, std::vector<u8> data) {
  if (!ok) {
    flushing_ = false;
    set_address(lba_);
    task_.count = static_cast<u8>(remaining_);
    const bool reads = !is_write(op_) && op_ != AtaOp::Flush && op_ != AtaOp::Trim;
    return abort(reads ? kErrorUncorrectable : kErrorAbort);
  }
  switch (op_) {
    case AtaOp::ReadPio: return pio_in(std::move(data), static_cast<u32>(block_sectors_ * kSector));
    case AtaOp::ReadDma: return dma_in(std::move(data));
    case AtaOp::Flush: op_ = AtaOp::None; return succeed();
    case AtaOp::Trim: return trim_next();
    default: break;
  }
  if (write_through_ && !flushing_) {
    flushing_ = true;
    return flush_drive();
  }
  flushing_ = false;
  advance();
}

void AtaDisk::transfer_done() {
  switch (op_) {
    case AtaOp::WritePio:
    case AtaOp::WriteDma: return write_drive(lba_ * kSector);
    case AtaOp::Trim: trim_entry_ = 0; return trim_next();
    case AtaOp::DataIn:
      op_ = AtaOp::None;
      return finish(kStatusReady | kStatusSeekComplete, 0, false);
    case AtaOp::DataOut:
      op_ = AtaOp::None;
      std::copy_n(buffer().begin(), std::min(buffer().size(), sector_buffer_.size()),
                  sector_buffer_.begin());
      return succeed();
    default: return advance();
  }
}

void AtaDisk::advance() {
  if (next_chunk()) return move_chunk(false);
  // A PIO read has told the host of every block; all others tell it of the end.
  const bool interrupt = op_ != AtaOp::ReadPio;
  op_ = AtaOp::None;
  if (lba_ != 0) set_address(lba_ - 1);
  task_.count = 0;
  finish(kStatusReady | kStatusSeekComplete, 0, interrupt);
}

// Each entry is 48 bits of address and 16 of sectors; none of it names no range.
void AtaDisk::trim_next() {
  const auto entries = buffer();
  while (8 * (u64{trim_entry_} + 1) <= entries.size()) {
    u64 entry = 0;
    for (unsigned i = 0; i < 8; ++i)
      entry |= u64{entries[8 * std::size_t{trim_entry_} + i]} << (8 * i);
    ++trim_entry_;
    const u64 lba = entry & 0xffff'ffff'ffff;
    const auto count = static_cast<u32>(entry >> 48);
    if (count == 0) continue;
    if (lba >= sectors_ || count > sectors_ - lba) {
      log_guest(kName, "TRIM of {} sectors at {} is beyond the end", count, lba);
      return abort(kErrorNotFound | kErrorAbort);
    }
    return discard_drive(lba * kSector, static_cast<u32>(count * kSector));
  }
  op_ = AtaOp::None;
  succeed();
}

void AtaDisk::send(std::vector<u8> data) {
  op_ = AtaOp::DataIn;
  pio_in(std::move(data), 512);
}

void AtaDisk::identify() {
  const u32 cylinders = static_cast<u32>(
      std::min<u64>(native_.total() / std::max<u64>(u64{chs_heads_} * chs_sectors_, 1), 65535));
  const std::string serial = shown_serial();
  const std::string version = shown_version();
  send(identify_disk(
      {.serial = serial,
       .version = version,
       .model = model_,
       .wwn = wwn_,
       .modes = modes_,
       .sectors = sectors_,
       .native = native_,
       .current = {.cylinders = cylinders, .heads = chs_heads_, .sectors = chs_sectors_},
       .max_multiple = kMaxMultiple,
       .multiple = multiple_,
       .write_cache = write_cache_,
       .look_ahead = look_ahead_,
       .smart = smart_enabled_,
       .logical_block = logical_block_size_,
       .physical_block = physical_block_size_}));
}

namespace {
const RegisterType<AtaDisk> registration;
}  // namespace

}  // namespace rhea::hw
