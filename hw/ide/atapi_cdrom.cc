// SPDX-License-Identifier: GPL-2.0-or-later
// ide-cd: declaration, the PACKET protocol (ATA/ATAPI-6, 9.7 and 9.8), reading blocks.
#include "hw/ide/atapi.h"
#include "hw/ide/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {
namespace {

// Interrupt reason, in the sector count register.
constexpr u8 kReasonCommand = 0x01, kReasonToHost = 0x02;
constexpr u8 kReady = kStatusReady | kStatusSeekComplete;

}  // namespace

void AtapiCdrom::describe(Schema<AtapiCdrom>& s) {
  s.help("virtual IDE CD-ROM");
  s.state("op", &AtapiCdrom::op_);
  s.state("packet", &AtapiCdrom::packet_);
  s.state("packet-dma", &AtapiCdrom::packet_dma_);
  s.state("byte-limit", &AtapiCdrom::byte_limit_);
  s.state("sense", &AtapiCdrom::sense_);
  s.state("unit-attention", &AtapiCdrom::unit_attention_);
  s.state("event", &AtapiCdrom::event_);
  s.state("tray-open", &AtapiCdrom::tray_open_);
  s.state("locked", &AtapiCdrom::locked_);
  s.state("error-page", &AtapiCdrom::error_page_);
  s.state("audio-page", &AtapiCdrom::audio_page_);
  s.state("parts", &AtapiCdrom::parts_);
}

Result<> AtapiCdrom::realize() {
  TRY(IdeDevice::realize());
  if (model_.empty()) model_ = "QEMU DVD-ROM";
  return {};
}

void AtapiCdrom::reset(ResetKind kind) {
  packet_ = {};
  packet_dma_ = false;
  byte_limit_ = 0;
  sense_ = sense::kNone;
  unit_attention_ = tray_open_ = locked_ = false;
  reset_reader();
  parts_ = {};
  IdeDevice::reset(kind);
}

Result<> AtapiCdrom::post_load(unsigned version) {
  TRY(IdeDevice::post_load(version));
  if (op_ != AtapiOp::ReadBlocks) return {};
  return check_extent(medium().blocks);
}

void AtapiCdrom::set_signature() {
  task_.count = task_.lba_low = 0x01;
  task_.lba_mid = 0x14;
  task_.lba_high = 0xeb;
  task_.device = 0;
  task_.status = 0;
}

bool AtapiCdrom::device_reset() {
  const u8 unit = task_.device & kDeviceUnit;
  diagnose();
  task_.device = unit;
  return true;
}

// ---- The medium

bool AtapiCdrom::has_medium() const {
  return drive_ != nullptr && drive_->inserted() && !tray_open_;
}

CdMedium AtapiCdrom::medium() const {
  if (!has_medium()) return {};
  const u64 blocks = std::min<u64>(drive_->size() / kCdBlockSize, 0xfffffffe);
  return {.present = true, .blocks = static_cast<u32>(blocks)};
}

const ScsiSense& AtapiCdrom::not_ready() const {
  return tray_open_ ? sense::kTrayOpen : sense::kNoMedium;
}

// The guest hears of it when it polls for events.
void AtapiCdrom::eject_requested(bool force) {
  event_ = MediaEvent::EjectRequest;
  if (force) locked_ = false;
}

void AtapiCdrom::medium_changed(bool loaded) {
  tray_open_ = !loaded;
  const bool inside = has_medium();
  unit_attention_ = inside;
  event_ = inside ? MediaEvent::NewMedia : MediaEvent::Removal;
}

// ---- Commands of the task file

void AtapiCdrom::command(u8 code) {
  op_ = AtapiOp::None;
  switch (code) {
    case 0xa0:
      if ((task_.features & 2) != 0) return abort();  // overlapped
      packet_dma_ = (task_.features & 1) != 0;
      byte_limit_ = static_cast<u16>(task_.lba_mid | task_.lba_high << 8);
      op_ = AtapiOp::Packet;
      return pio_out(static_cast<u32>(packet_.size()), static_cast<u32>(packet_.size()), false);
    case 0xa1: {
      const std::string serial = shown_serial();
      const std::string version = shown_version();
      op_ = AtapiOp::Identify;
      return pio_in(identify_packet({.serial = serial,
                                     .version = version,
                                     .model = model_,
                                     .wwn = wwn_,
                                     .modes = modes_,
                                     .native = {},
                                     .current = {}}),
                    512);
    }
    case 0x20:
    case 0xec:  // a packet device says who it is, and refuses
      set_signature();
      return abort();
    case 0x94:
    case 0x95:
    case 0x96:
    case 0x97:
    case 0x99:
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:
    case 0xe6: return finish(kReady, 0, true);
    case 0x98:
    case 0xe5:  // CHECK POWER MODE: active
      task_.count = 0xff;
      return finish(kReady, 0, true);
    case 0xef: return set_features();
    default: log_guest(kName, "command {:#04x} is not known", code); return abort();
  }
}

void AtapiCdrom::abort() { finish(kReady | kStatusError, kErrorAbort, true); }

void AtapiCdrom::set_features() {
  const u8 value = task_.count;
  const bool known = task_.features == 0x66 || task_.features == 0xcc || task_.features == 0x03;
  if (!known || (task_.features == 0x03 && !set_transfer_mode(modes_, value))) return abort();
  finish(kReady, 0, true);
}

// ---- Packets

void AtapiCdrom::block_begins(u32 bytes) {
  if (op_ == AtapiOp::Identify) return;
  if (op_ == AtapiOp::Packet) {
    task_.count = kReasonCommand;
    return;
  }
  task_.count = op_ == AtapiOp::DataOut ? 0 : kReasonToHost;
  task_.lba_mid = static_cast<u8>(bytes);
  task_.lba_high = static_cast<u8>(bytes >> 8);
}

void AtapiCdrom::succeed() {
  op_ = AtapiOp::None;
  task_.count = kReasonCommand | kReasonToHost;
  finish(kReady, 0, true);
}

void AtapiCdrom::fail_packet(const ScsiSense& sense) {
  atapi_sense(*this, ide_bus().name(), sense.key, sense.code);
  op_ = AtapiOp::None;
  sense_ = sense;
  task_.count = kReasonCommand | kReasonToHost;
  finish(kReady | kStatusError, static_cast<u8>(sense.key << 4 | kErrorAbort), true);
}

// A limit of 0 stands for the largest one, and blocks other than the last are even.
u32 AtapiCdrom::block_limit(u32 bytes) const {
  const u32 limit = byte_limit_ == 0 || byte_limit_ == 0xffff ? 0xfffe : byte_limit_;
  if (bytes <= limit) return bytes;
  return limit == 1 ? 1 : limit & ~1u;
}

void AtapiCdrom::send(std::vector<u8> data) {
  if (data.empty()) return succeed();
  if (packet_dma_) return dma_in(std::move(data));
  const u32 block = block_limit(static_cast<u32>(data.size()));
  pio_in(std::move(data), block);
}

void AtapiCdrom::reply(std::vector<u8> data, u32 allocated) {
  if (data.size() > allocated) data.resize(allocated);
  op_ = AtapiOp::DataIn;
  send(std::move(data));
}

void AtapiCdrom::transfer_done() {
  switch (op_) {
    case AtapiOp::Packet:
      std::copy_n(buffer().begin(), std::min(buffer().size(), packet_.size()), packet_.begin());
      return execute_packet();
    case AtapiOp::Identify: op_ = AtapiOp::None; return finish(kReady, 0, false);
    case AtapiOp::DataOut: return mode_parameters();
    case AtapiOp::ReadBlocks: return next_chunk() ? read_blocks() : succeed();
    default: return succeed();
  }
}

// ---- Blocks

void AtapiCdrom::read_blocks() {
  chunk_ = std::min(remaining_, kBufferSize / kCdRawSize);
  read_drive(lba_ * kCdBlockSize, chunk_ * kCdBlockSize);
}

void AtapiCdrom::drive_done(bool ok, std::vector<u8> data) {
  if (!ok) return fail_packet(has_medium() ? sense::kReadError : not_ready());
  if (parts_.size() != kCdBlockSize || !parts_.data)
    data = cut_sectors(data, static_cast<u32>(lba_), parts_);
  send(std::move(data));
}

namespace {
const RegisterType<AtapiCdrom> registration;
}  // namespace

}  // namespace rhea::hw
