// SPDX-License-Identifier: GPL-2.0-or-later
// isa-fdc: commands that move heads or set registers (82078, chapter 5).
#include "hw/block/fdc_command.h"

#include <algorithm>

namespace rhea::hw {
const Fdc::Command* Fdc::find_command(u8 code) {
  static constexpr std::array kCommands = {
      Command{0x02, 0xbf, 9, &Fdc::read_track},
      Command{0x03, 0xff, 3, &Fdc::specify},
      Command{0x04, 0xff, 2, &Fdc::sense_drive},
      Command{0x05, 0x3f, 9, &Fdc::write_data},
      Command{0x06, 0x1f, 9, &Fdc::read_data},
      Command{0x07, 0xff, 2, &Fdc::recalibrate},
      Command{0x08, 0xff, 1, &Fdc::sense_interrupt},
      Command{0x09, 0x3f, 9, &Fdc::write_data},  // WRITE DELETED DATA: images hold no deleted marks
      Command{0x0a, 0xbf, 2, &Fdc::read_id},
      Command{0x0c, 0x1f, 9, &Fdc::read_deleted},
      Command{0x0d, 0xbf, 6, &Fdc::format_track},
      Command{0x0e, 0xff, 1, &Fdc::dump_registers},
      Command{0x0f, 0xff, 3, &Fdc::seek},
      Command{0x10, 0xff, 1, &Fdc::version},
      Command{0x11, 0x1f, 9, &Fdc::scan},  // SCAN EQUAL
      Command{0x12, 0xff, 2, &Fdc::perpendicular},
      Command{0x13, 0xff, 4, &Fdc::configure},
      Command{0x14, 0x7f, 1, &Fdc::lock},
      Command{0x16, 0x1f, 9, &Fdc::verify},
      Command{0x17, 0xff, 2, &Fdc::power_down},
      Command{0x18, 0xff, 1, &Fdc::part_id},
      Command{0x19, 0x1f, 9, &Fdc::scan},  // SCAN LOW OR EQUAL
      Command{0x1d, 0x1f, 9, &Fdc::scan},  // SCAN HIGH OR EQUAL
      Command{0x2e, 0xff, 1, &Fdc::save_registers},
      Command{0x33, 0xff, 2, &Fdc::option},
      Command{0x4e, 0xff, 17, &Fdc::restore_registers},
      Command{0x8e, 0xff, 7, &Fdc::drive_specification},
      Command{0x8f, 0xbf, 3, &Fdc::relative_seek},
  };
  // The exact names first: DUMPREG and its kin look like others under a mask.
  const auto matches = [code](const Command& command, u8 mask) {
    return (code & mask) == (command.code & mask);
  };
  for (const Command& command : kCommands)
    if (command.mask == 0xff && matches(command, 0xff)) return &command;
  for (const Command& command : kCommands)
    if (matches(command, command.mask)) return &command;
  return nullptr;
}

void Fdc::seek_ended(unsigned unit, u8 status) {
  reset_senses_ = 0;
  seek_done_[unit & 3] = true;
  seek_status_[unit & 3] = static_cast<u8>(status | (fifo_[1] & 7));
  command_done();
  set_interrupt(true);
}

// Outwards until the drive shows track 0, but at most 79 steps. A drive that is not there never
// shows it.
void Fdc::recalibrate() {
  constexpr i32 kMostSteps = 79;
  FloppyDrive* d = addressed();
  fifo_.set(1, fifo_[1] & 3);
  present_[fifo_[1]] = 0;
  if (d != nullptr) d->step(-std::min<i32>(d->cylinder(), kMostSteps));
  if (d == nullptr || d->cylinder() != 0)
    return seek_ended(fifo_[1], fdc::kAbnormal | fdc::kSeekEnd | fdc::kEquipmentCheck);
  seek_ended(fifo_[1], fdc::kSeekEnd);
}

void Fdc::seek_to(u8 cylinder) {
  u8& present = present_[fifo_[1] & 3];
  if (FloppyDrive* d = addressed()) d->step(i32{cylinder} - i32{present});
  present = cylinder;
}

void Fdc::seek() {
  seek_to(fifo_[2]);
  seek_ended(fifo_[1], fdc::kSeekEnd);
}

// Inwards the present cylinder number overflows past 255; outwards track 0 ends it.
void Fdc::relative_seek() {
  const bool inwards = (fifo_[0] & 0x40) != 0;
  u8& present = present_[fifo_[1] & 3];
  if (FloppyDrive* d = addressed()) d->step(inwards ? i32{fifo_[2]} : -i32{fifo_[2]});
  present = inwards ? static_cast<u8>(present + fifo_[2])
                    : static_cast<u8>(present - std::min(present, fifo_[2]));
  seek_ended(fifo_[1], fdc::kSeekEnd);
}

void Fdc::sense_interrupt() {
  set_interrupt(false);
  if (reset_senses_ > 0) {
    const unsigned unit = 4U - reset_senses_--;
    return result({static_cast<u8>(fdc::kReadyChanged | unit), present_[unit]});
  }
  for (unsigned unit = 0; unit < seek_done_.size(); ++unit) {
    if (!seek_done_[unit]) continue;
    seek_done_[unit] = false;
    return result({seek_status_[unit], present_[unit]});
  }
  invalid();
}

void Fdc::sense_drive() {
  const FloppyDrive* d = addressed();
  u8 status = static_cast<u8>(fdc::kDriveFixed | select_bits());
  if (d != nullptr && d->cylinder() == 0) status |= fdc::kDriveTrack0;
  if (d != nullptr && d->write_protected()) status |= fdc::kDriveWriteProtected;
  result({status});
}

void Fdc::specify() {
  step_unload_ = fifo_[1];
  head_load_ = fifo_[2] >> 1;
  non_dma_ = (fifo_[2] & 1) != 0;
  command_done();
}

void Fdc::configure() {
  config_ = fifo_[2] & 0x7f;
  precompensation_ = fifo_[3];
  command_done();
}

// The drive bits change only together with OW.
void Fdc::perpendicular() {
  const u8 drives = (fifo_[1] & 0x80) != 0 ? fifo_[1] & 0x3c : perpendicular_ & 0x3c;
  perpendicular_ = static_cast<u8>(drives | (fifo_[1] & 3));
  command_done();
}

void Fdc::lock() {
  locked_ = (fifo_[0] & 0x80) != 0;
  result({static_cast<u8>(locked_ ? 0x10 : 0)});
}

void Fdc::dump_registers() {
  result({present_[0], present_[1], present_[2], present_[3], step_unload_,
          static_cast<u8>(head_load_ << 1 | (non_dma_ ? 1 : 0)), last_count_,
          static_cast<u8>((locked_ ? 0x80 : 0) | perpendicular_), config_, precompensation_});
}

void Fdc::save_registers() {
  result({0, 0, present_[0], present_[1], present_[2], present_[3], step_unload_,
          static_cast<u8>(head_load_ << 1 | (non_dma_ ? 1 : 0)), last_count_,
          static_cast<u8>((locked_ ? 0x80 : 0) | perpendicular_), config_, precompensation_, 0, 0,
          0, 0});
}

// The parameters are what SAVE gave.
void Fdc::restore_registers() {
  for (unsigned unit = 0; unit < present_.size(); ++unit) present_[unit] = fifo_[3 + unit];
  step_unload_ = fifo_[7];
  head_load_ = fifo_[8] >> 1;
  non_dma_ = (fifo_[8] & 1) != 0;
  last_count_ = fifo_[9];
  locked_ = (fifo_[10] & 0x80) != 0;
  perpendicular_ = fifo_[10] & 0x3f;
  config_ = fifo_[11] & 0x7f;
  precompensation_ = fifo_[12];
  command_done();
}

// The last byte says whether a result is wanted.
void Fdc::drive_specification() {
  const u8 last = fifo_[index_ - 1U];
  if ((last & 0x40) != 0) return command_done();
  result({0, 0, 0, 0});
}

void Fdc::read_id() {
  FloppyDrive* d = addressed();
  unit_ = fifo_[1] & 3;
  head_ = fifo_[1] >> 2 & 1;
  const u16 problem = transfer_problem(d, false);
  if (problem == 0) {
    cylinder_ = d->cylinder();
    sector_ = d->next_sector();
    return finish(0, 0, 0);
  }
  sector_ = 1;
  finish(fdc::kAbnormal, static_cast<u8>(problem), static_cast<u8>(problem >> 8));
}

}  // namespace rhea::hw
