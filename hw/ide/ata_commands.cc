// SPDX-License-Identifier: GPL-2.0-or-later
// ide-hd: the command set (ATA/ATAPI-6, chapter 8, and what older drivers still send).
#include "hw/ide/ata_sector_commands.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kSmartMid = 0x4f, kSmartHigh = 0xc2;

}  // namespace

const AtaDisk::SectorCommand* AtaDisk::find_sector_command(u8 code) {
  static constexpr std::array kCommands = {
      SectorCommand{0x20, AtaOp::ReadPio},                      // READ SECTORS
      SectorCommand{0x21, AtaOp::ReadPio},                      // without retries
      SectorCommand{0x24, AtaOp::ReadPio, true},                // READ SECTORS EXT
      SectorCommand{0x25, AtaOp::ReadDma, true},                // READ DMA EXT
      SectorCommand{0x29, AtaOp::ReadPio, true, true},          // READ MULTIPLE EXT
      SectorCommand{0x30, AtaOp::WritePio},                     // WRITE SECTORS
      SectorCommand{0x31, AtaOp::WritePio},                     // without retries
      SectorCommand{0x34, AtaOp::WritePio, true},               // WRITE SECTORS EXT
      SectorCommand{0x35, AtaOp::WriteDma, true},               // WRITE DMA EXT
      SectorCommand{0x39, AtaOp::WritePio, true, true},         // WRITE MULTIPLE EXT
      SectorCommand{0x3c, AtaOp::WritePio},                     // WRITE VERIFY
      SectorCommand{0x3d, AtaOp::WriteDma, true, false, true},  // WRITE DMA FUA EXT
      SectorCommand{0x40, AtaOp::Verify},                       // READ VERIFY SECTORS
      SectorCommand{0x41, AtaOp::Verify},                       // without retries
      SectorCommand{0x42, AtaOp::Verify, true},                 // READ VERIFY SECTORS EXT
      SectorCommand{0xc4, AtaOp::ReadPio, false, true},         // READ MULTIPLE
      SectorCommand{0xc5, AtaOp::WritePio, false, true},        // WRITE MULTIPLE
      SectorCommand{0xc8, AtaOp::ReadDma},                      // READ DMA
      SectorCommand{0xc9, AtaOp::ReadDma},                      // without retries
      SectorCommand{0xca, AtaOp::WriteDma},                     // WRITE DMA
      SectorCommand{0xcb, AtaOp::WriteDma},                     // without retries
      SectorCommand{0xce, AtaOp::WritePio, true, true, true},   // WRITE MULTIPLE FUA EXT
  };
  const auto* found = std::ranges::find(kCommands, code, &SectorCommand::code);
  return found == kCommands.end() ? nullptr : found;
}

void AtaDisk::command(u8 code) {
  if (const SectorCommand* sectors = find_sector_command(code)) return sectors_command(*sectors);
  if ((code & 0xf0) == 0x10) return succeed();  // RECALIBRATE
  switch (code) {
    case 0x06: return data_set_management();
    case 0x70: return seek();
    case 0x91: return initialize_parameters();
    case 0xb0: return smart();
    case 0xc6: return set_multiple();
    case 0xe4: return send({sector_buffer_.begin(), sector_buffer_.end()});  // READ BUFFER
    case 0xe7:
    case 0xea: return flush();
    case 0xe8:  // WRITE BUFFER
      op_ = AtaOp::DataOut;
      return pio_out(512, 512, false);
    case 0xec: return identify();
    case 0xef: return set_features();
    case 0x95:
    case 0x97:
    case 0xe1:
    case 0xe3:  // IDLE IMMEDIATE, IDLE
      standby_ = false;
      return succeed();
    case 0x94:
    case 0x96:
    case 0x99:
    case 0xe0:
    case 0xe2:
    case 0xe6:  // STANDBY, SLEEP
      standby_ = true;
      return flush();
    case 0x98:
    case 0xe5:  // CHECK POWER MODE
      task_.count = standby_ ? 0x00 : 0xff;
      return succeed();
    default:
      log_guest(kName, "command {:#04x} is not known", code);
      return abort();  // NOP (00h) too: that is what it is for
  }
}

void AtaDisk::flush() {
  op_ = AtaOp::Flush;
  flush_drive();
}

// TRIM is the only function that there is; it comes by DMA.
void AtaDisk::data_set_management() {
  const u32 blocks = task_.count | u32{task_.previous_count} << 8;
  if (task_.features != 0x01 || blocks == 0 || blocks > kBufferSize / 512 || drive_->read_only())
    return abort();
  op_ = AtaOp::Trim;
  dma_out(blocks * 512);
}

void AtaDisk::seek() {
  const auto lba = address(false);
  if (!lba || *lba >= sectors_) return abort(kErrorNotFound);
  succeed();
}

void AtaDisk::initialize_parameters() {
  const u32 heads = (task_.device & 0x0f) + 1U;
  if (task_.count == 0) return abort();
  chs_heads_ = heads;
  chs_sectors_ = task_.count;
  succeed();
}

void AtaDisk::set_multiple() {
  const u8 count = task_.count;
  if (count > 16 || (count & (count - 1)) != 0) return abort();
  multiple_ = count;
  succeed();
}

void AtaDisk::set_features() {
  switch (task_.features) {
    case 0x02: write_cache_ = true; return succeed();
    case 0x03:
      if (!set_transfer_mode(modes_, task_.count)) return abort();
      return succeed();
    case 0x82: write_cache_ = false; return flush();
    case 0xaa: look_ahead_ = true; return succeed();
    case 0x55: look_ahead_ = false; return succeed();
    case 0x66:
    case 0xcc: return succeed();  // defaults kept or restored by soft reset
    default: return abort();
  }
}

void AtaDisk::smart() {
  if (task_.lba_mid != kSmartMid || task_.lba_high != kSmartHigh) return abort();
  const u8 function = task_.features;
  if (!smart_enabled_ && function != 0xd8) return abort();
  switch (function) {
    case 0xd0: return send(smart_data());
    case 0xd1: return send(smart_thresholds());
    case 0xd2:  // attribute autosave
    case 0xd3:  // save attribute values
    case 0xd4:  // execute off-line: done at once
      return succeed();
    case 0xd5: {
      auto log = smart_log(task_.lba_low);
      if (!log || task_.count == 0) return abort();
      return send(std::move(*log));
    }
    case 0xd8: smart_enabled_ = true; return succeed();
    case 0xd9: smart_enabled_ = false; return succeed();
    case 0xda: return succeed();  // LBA mid and high say that all is well
    default: return abort();
  }
}

}  // namespace rhea::hw
