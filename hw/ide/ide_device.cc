// SPDX-License-Identifier: GPL-2.0-or-later
// Data transfer protocols of IDE devices, and their properties.
#include "hw/ide/ide_device.h"

#include "hw/ide/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

void IdeDevice::describe(Schema<IdeDevice>& s) {
  s.link("drive", &IdeDevice::drive_).help("ID of a drive to use as a backend");
  s.property("unit", &IdeDevice::unit_, i32{-1}).range(-1, 255).help("0 or 1, -1 for any");
  s.property("serial", &IdeDevice::serial_, "").help("at most 20 characters");
  s.property("model", &IdeDevice::model_, "").help("at most 40 characters");
  s.property("ver", &IdeDevice::version_, "").help("firmware version, at most 8 characters");
  s.property("wwn", &IdeDevice::wwn_, u64{0}).help("world wide name");
  BootIndex::declare(s, "bootindex", &IdeDevice::boot_index_);
  s.property("logical_block_size", &IdeDevice::logical_block_size_, u32{512}).as_size();
  s.property("physical_block_size", &IdeDevice::physical_block_size_, u32{512}).as_size();
  s.property("write-cache", &IdeDevice::write_cache_property_, OnOffAuto::Auto)
      .help(
          "off: each write reaches the disk before it completes; auto: as the drive's cache= says");
  s.property("rerror", &IdeDevice::on_read_error_, OnError::Auto)
      .help("when the host fails to read: report, ignore, enospc, stop; auto: as the drive has it");
  s.property("werror", &IdeDevice::on_write_error_, OnError::Auto).help("when it fails to write");
  s.state("task-file", &IdeDevice::task_);
  s.state("modes", &IdeDevice::modes_);
  s.state("lba", &IdeDevice::lba_);
  s.state("remaining", &IdeDevice::remaining_);
  s.state("chunk", &IdeDevice::chunk_);
  s.state("interrupt", &IdeDevice::interrupt_);
  s.state("transfer", &IdeDevice::transfer_);
  s.state("dma", &IdeDevice::dma_);
  s.state("position", &IdeDevice::position_).range(0, kBufferSize);
  s.state("block", &IdeDevice::block_).range(0, kBufferSize);
  s.state("block-end", &IdeDevice::block_end_).range(0, kBufferSize);
  s.state("buffer", &IdeDevice::buffer_).range(0, kBufferSize);
  s.state("held", &IdeDevice::held_);
}

Result<> IdeDevice::realize() {
  if (serial_.size() > 20)
    return fail("Property 'serial': '{}' is longer than 20 characters", serial_);
  if (model_.size() > 40)
    return fail("Property 'model': '{}' is longer than 40 characters", model_);
  if (version_.size() > 8)
    return fail("Property 'ver': '{}' is longer than 8 characters", version_);
  TRY(boot_index_.join(*this));
  TRY(take_drive(drive_, *this, media() != nullptr ? DriveUse::Read : DriveUse::Write, media()));
  if (serial_.empty()) serial_ = drive_->serial.substr(0, 20);
  drive_->set_error_policy_of(on_read_error_, on_write_error_);
  drive_->let_policy_decide();
  return {};
}

std::string IdeDevice::firmware_name() const {
  return fmt::format("drive@{:x}/disk@{:x}", ide_bus().number(), unit_);
}

std::string IdeDevice::shown_serial() const {
  if (!serial_.empty()) return serial_;
  return fmt::format("QM{:05}", 2 * ide_bus().number() + static_cast<unsigned>(unit_) + 1);
}

void IdeDevice::set_interrupt(bool on) {
  interrupt_ = on;
  if (parent_bus() != nullptr) ide_bus().update_irq();
}

void IdeDevice::execute(u8 code) {
  ide_command(*this, ide_bus().name(), code);
  if (code == kDeviceResetCommand && device_reset()) return;
  if (busy()) return log_guest(type().name, "command {:#04x} while busy", code);
  interrupt_ = false;
  task_.error = 0;
  task_.status = kStatusBusy;
  ide_bus().update_irq();
  command(code);
}

void IdeDevice::finish(u8 status, u8 error, bool interrupt) {
  transfer_ = IdeTransfer::None;
  task_.status = status;
  task_.error = error;
  if (interrupt) set_interrupt(true);
}

// EXECUTE DEVICE DIAGNOSTIC and the end of a reset look the same (9.10).
void IdeDevice::diagnose() {
  cancel();
  forget();
  interrupt_ = false;
  transfer_ = IdeTransfer::None;
  set_signature();
  task_.error = 0x01;
  if (parent_bus() != nullptr) ide_bus().update_irq();
}

void IdeDevice::enter_soft_reset() {
  diagnose();
  task_.status = kStatusBusy;
}

void IdeDevice::reset(ResetKind) {
  buffer_.clear();
  position_ = block_ = block_end_ = 0;
  dma_ = false;
  task_ = {};
  modes_ = {};
  lba_ = remaining_ = chunk_ = 0;
  diagnose();
}

// ---- The data register

void IdeDevice::begin(IdeTransfer direction, u32 block, bool dma) {
  transfer_ = direction;
  dma_ = dma;
  position_ = 0;
  block_ = std::max<u32>(block, 1);
  block_end_ = 0;
}

void IdeDevice::pio_in(std::vector<u8> data, u32 block) {
  buffer_ = std::move(data);
  begin(IdeTransfer::In, block, false);
  show_block(true);
}

void IdeDevice::pio_out(u32 bytes, u32 block, bool interrupt) {
  buffer_.assign(std::min(bytes, kBufferSize), 0);
  begin(IdeTransfer::Out, block, false);
  show_block(interrupt);
}

void IdeDevice::show_block(bool interrupt) {
  const u32 bytes = std::min(block_, static_cast<u32>(buffer_.size()) - position_);
  block_end_ = position_ + bytes;
  task_.status = kStatusReady | kStatusSeekComplete | kStatusDrq;
  block_begins(bytes);
  if (interrupt) set_interrupt(true);
}

// How much of an access of `size` bytes the present block has. Trusts neither of its bounds.
u32 IdeDevice::movable(u32 size) const {
  const u32 end = std::min(block_end_, static_cast<u32>(buffer_.size()));
  return position_ < end ? std::min(size, end - position_) : 0;
}

u32 IdeDevice::read_data(unsigned size) {
  if (transfer_ != IdeTransfer::In || dma_) return 0;
  const u32 count = movable(size);
  u32 value = 0;
  for (u32 i = 0; i < count; ++i) value |= u32{buffer_[position_ + i]} << (8 * i);
  moved(count);
  return value;
}

void IdeDevice::write_data(u32 value, unsigned size) {
  if (transfer_ != IdeTransfer::Out || dma_) return;
  const u32 count = movable(size);
  for (u32 i = 0; i < count; ++i) buffer_[position_ + i] = static_cast<u8>(value >> (8 * i));
  moved(count);
}

void IdeDevice::moved(u32 bytes) {
  position_ += bytes;
  if (position_ < block_end_) return;
  if (position_ < buffer_.size()) return show_block(true);
  transfer_ = IdeTransfer::None;
  task_.status = kStatusBusy;
  transfer_done();
}

// ---- DMA

void IdeDevice::dma_in(std::vector<u8> data) {
  buffer_ = std::move(data);
  begin(IdeTransfer::In, 1, true);
  pump_dma();
}

void IdeDevice::dma_out(u32 bytes) {
  buffer_.assign(std::min(bytes, kBufferSize), 0);
  begin(IdeTransfer::Out, 1, true);
  pump_dma();
}

void IdeDevice::dma_ready() {
  if (dma_ && transfer_ != IdeTransfer::None) pump_dma();
}

void IdeDevice::pump_dma() {
  task_.status = kStatusReady | kStatusSeekComplete | kStatusDrq;
  IdeDma* dma = ide_bus().dma();
  if (dma == nullptr) return;
  const auto rest = std::span(buffer_).subspan(std::min<std::size_t>(position_, buffer_.size()));
  const auto move = transfer_ == IdeTransfer::In ? dma->to_memory(rest) : dma->from_memory(rest);
  position_ += static_cast<u32>(move.bytes);
  if (!move.complete) return;
  transfer_ = IdeTransfer::None;
  task_.status = kStatusBusy;
  transfer_done();
}

// ---- Disk work

DriveIo::Done IdeDevice::tell_owner() {
  return [this](bool ok, std::vector<u8> data) { drive_done(ok, std::move(data)); };
}

void IdeDevice::read_drive(u64 offset, u32 bytes) {
  if (drive_ == nullptr) return drive_done(false, {});
  io_.read(*drive_, offset, std::min(bytes, kBufferSize), tell_owner());
}

void IdeDevice::write_drive(u64 offset) {
  if (drive_ == nullptr) return drive_done(false, {});
  io_.write(*drive_, offset, std::move(buffer_), tell_owner());
  buffer_.clear();
  position_ = block_end_ = 0;
}

void IdeDevice::flush_drive() {
  if (drive_ == nullptr) return drive_done(false, {});
  io_.flush(*drive_, tell_owner());
}

void IdeDevice::discard_drive(u64 offset, u32 bytes) {
  if (drive_ == nullptr) return drive_done(false, {});
  io_.discard(*drive_, offset, bytes, tell_owner());
}

bool IdeDevice::next_chunk() {
  const u32 done = std::min(chunk_, remaining_);
  lba_ += done;
  remaining_ -= done;
  return remaining_ != 0;
}

Result<> IdeDevice::check_extent(u64 sectors) const {
  if (remaining_ == 0) return {};  // the last chunk of what is done keeps its size
  if (lba_ > sectors || remaining_ > sectors - lba_ || chunk_ > remaining_)
    return fail("the command under way is beyond the end of the medium: {} sectors at {}",
                remaining_, lba_);
  return {};
}

// ---- State

void IdeDevice::pre_save() {
  if (drive_ != nullptr) drive_->drain();
  held_ = io_.held();
}

Result<> IdeDevice::post_load(unsigned) {
  cancel();
  if (held_.kind != HeldRequest::Kind::None) TRY(hold_loaded(std::exchange(held_, {})));
  if (transfer_ == IdeTransfer::None) return {};
  if (position_ >= buffer_.size() ||
      (!dma_ && (block_end_ <= position_ || block_end_ > buffer_.size())))
    return fail("the position in the data buffer is out of range: {} of {}", position_,
                buffer_.size());
  return {};
}

// The drive refuses what is beyond its end when the request is made.
Result<> IdeDevice::hold_loaded(HeldRequest held) {
  if (drive_ == nullptr || (task_.status & kStatusBusy) == 0)
    return fail("a disk request is under way without a command");
  if (held.bytes > kBufferSize && held.kind == HeldRequest::Kind::Read)
    return fail("the disk request under way is too long: {} bytes", held.bytes);
  io_.hold(*drive_, std::move(held), tell_owner());
  return {};
}

namespace {
const RegisterAbstractType<IdeDevice, Device> registration;
}  // namespace

}  // namespace rhea::hw
