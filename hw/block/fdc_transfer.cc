// SPDX-License-Identifier: GPL-2.0-or-later
// isa-fdc: commands that move sectors, by DMA or through the data register (82078, 5.1).
#include "hw/block/fdc_command.h"
#include "hw/block/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u32 kSector = 512;
constexpr u8 kSizeCode = 2;  // of 512 bytes
constexpr u16 both(u8 status1, u8 status2) { return static_cast<u16>(status1 | status2 << 8); }

}  // namespace

// ---- Commands

void Fdc::read_data() { start(FdcTask::Read); }
void Fdc::write_data() { start(FdcTask::Write); }
void Fdc::scan() { start(FdcTask::Scan); }
void Fdc::verify() { start(FdcTask::Verify); }

// Images hold no deleted sectors: with SK all are skipped, without it the first one ends the
// command.
void Fdc::read_deleted() {
  if ((fifo_[0] & 0x20) != 0) fifo_.set(4, 0);
  fifo_.set(0, fifo_[0] & 0x7f);
  fifo_.set(6, fifo_[4]);
  start(FdcTask::Read);
  if (task_ == FdcTask::Read) status2_ = fdc::kControlMark;
}

// From the index hole on, whatever number was asked for.
void Fdc::read_track() {
  fifo_.set(0, fifo_[0] & 0x7f);
  fifo_.set(4, 1);
  start(FdcTask::Read);
}

u16 Fdc::transfer_problem(const FloppyDrive* d, bool write) const {
  if (d == nullptr || !d->has_medium()) return fdc::kNoAddressMark;
  const FloppyGeometry& geometry = d->geometry();
  const u8 head = fifo_[1] >> 2 & 1;
  if (head >= geometry.heads || d->cylinder() >= geometry.cylinders) return fdc::kNoAddressMark;
  if (check_media_rate_ && (rate_ & 3) != static_cast<u8>(geometry.rate)) {
    log_guest(kName, "data rate {} on a diskette of rate {}", rate_ & 3,
              static_cast<u8>(geometry.rate));
    return fdc::kNoAddressMark;
  }
  if (write && d->write_protected()) return fdc::kNotWritable;
  return 0;
}

void Fdc::start(FdcTask task) {
  FloppyDrive* d = addressed();
  unit_ = fifo_[1] & 3;
  head_ = fifo_[1] >> 2 & 1;
  cylinder_ = fifo_[2];
  sector_ = fifo_[4];
  last_count_ = last_sector_ = fifo_[6];
  multi_track_ = (fifo_[0] & 0x80) != 0;
  terminal_count_ = false;
  status2_ = 0;
  step_ = task == FdcTask::Scan ? std::max<u8>(fifo_[8], 1) : 1;
  left_ = task == FdcTask::Verify && (fifo_[1] & 0x80) != 0 ? (fifo_[8] == 0 ? 256 : fifo_[8]) : 0;
  if (implied_seek()) seek_to(cylinder_);

  u16 problem = transfer_problem(d, task == FdcTask::Write);
  if (problem == 0 && d->cylinder() != cylinder_) problem = both(fdc::kNoData, fdc::kWrongCylinder);
  if (problem == 0 && (fifo_[3] != head_ || fifo_[5] != kSizeCode)) problem = fdc::kNoData;
  if (problem != 0)
    return finish(fdc::kAbnormal, static_cast<u8>(problem), static_cast<u8>(problem >> 8));
  task_ = task;
  phase_ = FdcPhase::Execution;
  next_chunk();
}

void Fdc::format_track() {
  const FloppyDrive* d = addressed();
  unit_ = fifo_[1] & 3;
  head_ = fifo_[1] >> 2 & 1;
  cylinder_ = d != nullptr ? d->cylinder() : u8{0};
  sector_ = 1;
  terminal_count_ = multi_track_ = false;
  status2_ = 0;
  last_count_ = fifo_[3];
  left_ = fifo_[3];
  filler_ = fifo_[5];
  u16 problem = transfer_problem(d, true);
  if (problem == 0 && fifo_[2] != kSizeCode) problem = fdc::kNoData;
  if (problem != 0)
    return finish(fdc::kAbnormal, static_cast<u8>(problem), static_cast<u8>(problem >> 8));
  if (left_ == 0) return finish(0, 0, 0);
  task_ = FdcTask::Format;
  phase_ = FdcPhase::Execution;
  buffer_.assign(std::size_t{4} * left_, 0);
  position_ = 0;
  open_channel();
}

// ---- Moving data between the host and the buffer

std::span<u8> Fdc::rest() {
  if (io_.busy()) return {};
  return std::span(buffer_).subspan(std::min<std::size_t>(position_, buffer_.size()));
}

void Fdc::open_channel() {
  if (!uses_dma()) return set_interrupt(true);
  isa().dma()->hold_dreq(dma_channel_);
  isa().dma()->schedule();
}

void Fdc::close_channel() {
  if (parent_bus() != nullptr && isa().dma() != nullptr) isa().dma()->release_dreq(dma_channel_);
}

u32 Fdc::dma_transfer(unsigned channel, u32 position, u32 size) {
  const bool moves = task_ != FdcTask::None && task_ != FdcTask::Verify;
  if (phase_ != FdcPhase::Execution || !moves || !uses_dma() || size == 0) return position;
  const auto data = rest();
  const auto part = data.first(std::min<std::size_t>(data.size(), size));
  if (part.empty()) return position;
  if (to_host())
    isa().dma()->write_memory(channel, position, part);
  else
    isa().dma()->read_memory(channel, position, part);
  const auto moved = static_cast<u32>(part.size());
  terminal_count_ = moved == size;
  data_moved(moved);
  return position + moved;
}

void Fdc::data_moved(u32 bytes) {
  position_ += bytes;
  if (position_ >= buffer_.size() || terminal_count_) return chunk_moved();
  if (!uses_dma() && position_ % kSector == 0) set_interrupt(true);
}

void Fdc::chunk_moved() {
  close_channel();
  switch (task_) {
    case FdcTask::Read: return advance((position_ + kSector - 1) / kSector);
    case FdcTask::Write: return store_chunk();
    case FdcTask::Format: return format_next();
    case FdcTask::Scan:
      if (compare(buffer_)) return finish(0, 0, scan_equal_ ? fdc::kScanEqual : u8{0});
      return advance(step_);
    default: return;
  }
}

// What the host left of the last sector is written as zeroes.
void Fdc::store_chunk() {
  const FloppyDrive* d = drive(unit_);
  if (d == nullptr || !d->has_medium()) return finish(fdc::kAbnormal, fdc::kNoAddressMark, 0);
  chunk_ = (position_ + kSector - 1) / kSector;
  buffer_.resize(u64{chunk_} * kSector);
  const u64 offset = u64{d->geometry().lba(cylinder_, head_, sector_)} * kSector;
  io_.write(*d->backend(), offset, std::move(buffer_),
            [this](bool ok, const auto&) { chunk_stored(ok); });
  buffer_.clear();
  position_ = 0;
}

void Fdc::chunk_stored(bool ok) {
  if (!ok) return finish(fdc::kAbnormal, fdc::kDataError, 0);
  if (task_ == FdcTask::Format) return format_next();
  advance(chunk_);
}

// The host has sent cylinder, head, sector and size of each sector of the track.
void Fdc::format_next() {
  const FloppyDrive* d = drive(unit_);
  if (d == nullptr || !d->has_medium()) return finish(fdc::kAbnormal, fdc::kNoAddressMark, 0);
  const u32 count = static_cast<u32>(buffer_.size() / 4);
  while (left_ != 0 && left_ <= count) {
    const u8* id = &buffer_[4 * std::size_t{count - left_}];
    --left_;
    const bool real = id[0] == cylinder_ && id[1] == head_ && id[2] != 0 &&
                      id[2] <= d->geometry().sectors && id[3] == kSizeCode;
    if (!real) continue;
    const u64 offset = u64{d->geometry().lba(cylinder_, head_, id[2])} * kSector;
    io_.write(*d->backend(), offset, std::vector<u8>(kSector, filler_),
              [this](bool ok, const auto&) { chunk_stored(ok); });
    return;
  }
  finish(0, 0, 0);
}

// Whether the host's sector satisfies the condition; its FFh bytes match anything.
bool Fdc::compare(std::span<const u8> host) {
  const u8 kind = fifo_[0] & 0x1f;
  int order = 0;
  for (std::size_t i = 0; i < std::min(host.size(), compared_.size()) && order == 0; ++i)
    if (host[i] != 0xff) order = int{compared_[i]} - int{host[i]};
  scan_equal_ = order == 0;
  return order == 0 || (kind == 0x19 && order < 0) || (kind == 0x1d && order > 0);
}

// ---- Moving data between the buffer and the disk

// As many sectors as lie on this side, or the one that SCAN compares.
void Fdc::next_chunk() {
  const FloppyDrive* d = drive(unit_);
  const u8 sectors = d != nullptr && d->has_medium() ? d->geometry().sectors : u8{0};
  if (sector_ == 0 || sector_ > sectors) return finish(fdc::kAbnormal, fdc::kNoData, 0);
  const u8 end = sector_ <= last_sector_ ? std::min(last_sector_, sectors) : sectors;
  chunk_ = task_ == FdcTask::Scan ? 1 : end - sector_ + 1U;
  if (left_ != 0) chunk_ = std::min(chunk_, left_);
  fdc_sectors(*this, cylinder_, head_, sector_, chunk_);
  position_ = 0;
  buffer_.clear();
  if (task_ == FdcTask::Write) {
    buffer_.assign(u64{chunk_} * kSector, 0);
    return open_channel();
  }
  const u64 offset = u64{d->geometry().lba(cylinder_, head_, sector_)} * kSector;
  io_.read(*d->backend(), offset, chunk_ * kSector,
           [this](bool ok, std::vector<u8> data) { chunk_loaded(ok, std::move(data)); });
}

void Fdc::chunk_loaded(bool ok, std::vector<u8> data) {
  if (!ok) return finish(fdc::kAbnormal, fdc::kDataError, fdc::kDataFieldError);
  if (task_ == FdcTask::Verify) return advance(chunk_);
  if (task_ == FdcTask::Scan) {
    compared_ = std::move(data);
    buffer_.assign(compared_.size(), 0);
  } else {
    buffer_ = std::move(data);
  }
  open_channel();
}

// The sectors are done: the end, the other side, or further on.
void Fdc::advance(u32 sectors) {
  const u32 next = sector_ + sectors;
  const bool side_done = sector_ <= last_sector_ && next > last_sector_;
  sector_ = static_cast<u8>(std::min<u32>(next, 0xff));
  const bool counted_out = left_ != 0 && (left_ -= std::min(left_, sectors)) == 0;
  const bool marked = (status2_ & fdc::kControlMark) != 0;
  if (terminal_count_ || counted_out || marked) {
    if (side_done) next_side();
    return finish(0, 0, task_ == FdcTask::Scan ? fdc::kScanNotSatisfied : status2_);
  }
  if (!side_done) return next_chunk();
  const bool other_side =
      multi_track_ && head_ == 0 && drive(unit_) != nullptr && drive(unit_)->geometry().heads == 2;
  next_side();
  if (other_side) return next_chunk();
  if (task_ == FdcTask::Scan) return finish(0, 0, fdc::kScanNotSatisfied);
  if (task_ == FdcTask::Verify) return finish(0, 0, 0);
  finish(fdc::kAbnormal, fdc::kEndOfCylinder, 0);
}

// The sector after the last one (table 5-6).
void Fdc::next_side() {
  sector_ = 1;
  if (!multi_track_ || head_ == 1) ++cylinder_;
  if (multi_track_) head_ ^= 1;
}

void Fdc::finish(u8 status0, u8 status1, u8 status2) {
  close_channel();
  buffer_.clear();
  compared_.clear();
  position_ = chunk_ = left_ = 0;
  reset_senses_ = 0;
  result({static_cast<u8>(status0 | head_ << 2 | unit_), status1, status2, cylinder_, head_,
          sector_, kSizeCode});
  set_interrupt(true);
}

}  // namespace rhea::hw
