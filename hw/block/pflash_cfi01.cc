// SPDX-License-Identifier: GPL-2.0-or-later
// NOR flash with Intel's command set.
#include "hw/block/pflash_cfi01.h"

#include "hw/block/trace_events.h"
#include "rhea/qom/registry.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {
namespace {

// Commands (datasheet, table 4).
enum Command : u8 {
  kReadArrayToo = 0x00,
  kProgramToo = 0x10,
  kErase = 0x20,
  kProgram = 0x40,
  kClearStatus = 0x50,
  kLock = 0x60,
  kReadStatus = 0x70,
  kReadIdentifier = 0x90,
  kReadQuery = 0x98,
  kSuspend = 0xb0,
  kConfirm = 0xd0,
  kBufferedProgram = 0xe8,
  kReadArray = 0xff,
};
constexpr u8 kSetLock = 0x01;

// The status register (table 15).
constexpr u8 kReady = 0x80, kEraseError = 0x20, kProgramError = 0x10, kLockError = 0x02;
constexpr u8 kSequenceError = kEraseError | kProgramError;

constexpr u64 kMaxSize = 64 * MiB;

}  // namespace

void PflashCfi01::describe(Schema<PflashCfi01>& s) {
  s.help("NOR flash with Intel's command set");
  s.board_only();
  s.link("drive", &PflashCfi01::drive_).help("what is in it, and where it is kept");
  s.property("num-blocks", &PflashCfi01::blocks_, u32{0}).help("erase blocks");
  s.property("sector-length", &PflashCfi01::block_size_, u32{0}).help("bytes of an erase block");
  s.property("width", &PflashCfi01::width_, u8{1}).range(1, 1).help("bytes of its data bus");
  s.property("secure", &PflashCfi01::secure_, false)
      .help("only a processor in system management mode gives commands");
  s.property("id0", &PflashCfi01::id0_, u16{0x89}).help("manufacturer");
  s.property("id1", &PflashCfi01::id1_, u16{0x18}).help("device");
  s.property("id2", &PflashCfi01::id2_, u16{0}).help("unused");
  s.property("id3", &PflashCfi01::id3_, u16{0}).help("unused");
  s.property("name", &PflashCfi01::label_, std::string()).help("its region's name");
  s.state("phase", &PflashCfi01::phase_).range(0, kPhases - 1);
  s.state("view", &PflashCfi01::view_).range(0, kViews - 1);
  s.state("status", &PflashCfi01::status_);
  s.state("locked", &PflashCfi01::locked_);
  s.state("buffer-at", &PflashCfi01::buffer_at_);
  s.state("buffer-expected", &PflashCfi01::buffer_expected_).range(0, kBufferBytes);
  s.state("buffer-count", &PflashCfi01::buffer_count_).range(0, kBufferBytes);
  s.state("buffer", &PflashCfi01::buffer_);
}

Result<> PflashCfi01::realize() {
  if (block_size_ < 256 || !std::has_single_bit(block_size_) || block_size_ > 16 * MiB)
    return fail("'sector-length' of {} is no power of two from 256 on", block_size_);
  if (blocks_ == 0 || size() > kMaxSize)
    return fail("'num-blocks' of {} makes a flash of {} bytes: 1 to {} are possible", blocks_,
                size(), kMaxSize);
  if (drive_ != nullptr && drive_->size() != size())
    return fail("'drive' {} has {} bytes, the flash {}", drive_->name(), drive_->size(), size());
  if (drive_ != nullptr) TRY(take_drive(drive_, *this, DriveUse::WriteIfPossible));
  TRY(memory_.init_rom_device(
      this, label_.empty() ? "pflash" : label_, size(),
      io<&PflashCfi01::read, &PflashCfi01::write>({.min = 1, .max = 8}, {.min = 1, .max = 1}),
      this));
  const std::span<u8> contents(memory_.host(), size());
  std::ranges::fill(contents, u8{0xff});
  locked_.assign(blocks_, 0);
  if (drive_ == nullptr) return {};
  Result<> loaded;
  drive_->read(0, contents, [&](Result<> result) { loaded = std::move(result); });
  drive_->drain();
  if (loaded && !drive_->read_only())
    saver_.open(*this, *drive_, contents, [this](bool ok) { saved(ok); });
  return loaded;
}

void PflashCfi01::reset(ResetKind) {
  begin(Phase::Command);
  status_ = kReady;
  std::ranges::fill(locked_, u8{0});
  at_risk_ = 0;
  buffer_at_ = buffer_expected_ = buffer_count_ = 0;
  buffer_.fill(0);
  show(View::Array);
}

void PflashCfi01::pre_save() { saver_.settle(); }

Result<> PflashCfi01::post_load(unsigned) {
  if (locked_.size() != blocks_) return fail("locks of {} blocks, not {}", locked_.size(), blocks_);
  if (u64{buffer_at_} + buffer_expected_ > size()) return fail("the write buffer is outside");
  memory_.set_romd_mode(view_ == static_cast<u8>(View::Array));
  // The contents came with the RAM blocks.
  saver_.changed(0, size());
  return {};
}

void PflashCfi01::show(View view) {
  view_ = static_cast<u8>(view);
  memory_.set_romd_mode(view == View::Array);
}

MemResult PflashCfi01::read(Access& access) {
  switch (static_cast<View>(view_)) {
    case View::Array: access.value = memory_.host()[access.offset]; break;
    case View::Status: access.value = status(); break;
    case View::Identifier: access.value = identifier(access.offset); break;
    case View::Query: access.value = query(access.offset); break;
  }
  return MemResult::Ok;
}

MemResult PflashCfi01::write(Access& access) {
  const auto value = static_cast<u8>(access.value);
  pflash_write(*this, access.offset, value, phase_);
  if (secure_ && !access.attrs.secure) {
    log_guest(kName, "write to {:#x} outside of system management mode", access.offset);
    return MemResult::Refused;
  }
  if (static_cast<Phase>(phase_) == Phase::Command)
    command(access.offset, value);
  else
    continue_command(access.offset, value);
  return MemResult::Ok;
}

void PflashCfi01::command(u64 offset, u8 value) {
  switch (value) {
    case kReadArray:
    case kReadArrayToo: return show(View::Array);
    case kReadIdentifier: return show(View::Identifier);
    case kReadQuery: return show(View::Query);
    // The datasheet keeps the ready bit; OVMF takes a flash for one by its absence (as QEMU's).
    case kClearStatus: status_ = 0; return;
    case kProgram:
    case kProgramToo: begin(Phase::Program); break;
    case kErase: begin(Phase::EraseConfirm); break;
    case kLock: begin(Phase::Lock); break;
    case kBufferedProgram: begin(Phase::BufferCount); break;
    case kReadStatus:
    case kSuspend:  // everything is done by the time one asks
    case kConfirm: break;
    default:
      log_guest(kName, "unknown command {:#x} at {:#x}", value, offset);
      return show(View::Array);
  }
  show(View::Status);
}

void PflashCfi01::continue_command(u64 offset, u8 value) {
  const auto phase = static_cast<Phase>(phase_);
  begin(Phase::Command);
  status_ |= kReady;
  switch (phase) {
    case Phase::Command: break;
    case Phase::Program:
      if (may_change(offset, kProgramError)) program(offset, {&value, 1});
      break;
    case Phase::EraseConfirm:
      if (value == kConfirm)
        erase(offset);
      else
        status_ |= kSequenceError;
      break;
    case Phase::Lock: change_lock(offset, value); break;
    case Phase::BufferCount:
      buffer_expected_ = value + 1U;
      buffer_at_ = buffer_count_ = 0;
      begin(Phase::BufferData);
      break;
    case Phase::BufferData: fill_buffer(offset, value); break;
    case Phase::BufferConfirm:
      if (value == kConfirm)
        program_buffer();
      else
        status_ |= kSequenceError;
      break;
  }
}

// The first byte's address is the buffer's start; the others may come in any order.
void PflashCfi01::fill_buffer(u64 offset, u8 value) {
  const u64 start = buffer_count_ == 0 ? offset : buffer_at_;
  const u64 index = offset - start;
  if (offset < start || index >= buffer_expected_ || start + buffer_expected_ > size() ||
      block(offset) != block(start)) {
    log_guest(kName, "buffered write to {:#x} is outside of its {} bytes from {:#x}", offset,
              buffer_expected_, start);
    status_ |= kSequenceError;
    return;
  }
  buffer_at_ = static_cast<u32>(start);
  buffer_[index] = value;
  ++buffer_count_;
  begin(buffer_count_ == buffer_expected_ ? Phase::BufferConfirm : Phase::BufferData);
}

void PflashCfi01::program_buffer() {
  if (may_change(buffer_at_, kProgramError))
    program(buffer_at_, std::span(buffer_).first(buffer_expected_));
}

// Programming makes ones to zeroes; only erasing makes ones.
void PflashCfi01::program(u64 offset, std::span<const u8> data) {
  u8* at = memory_.host() + offset;
  for (const u8 byte : data) *at++ &= byte;
  contents_changed(offset, data.size(), kProgramError);
}

void PflashCfi01::erase(u64 offset) {
  if (!may_change(offset, kEraseError)) return;
  const u64 start = block(offset) * block_size_;
  std::fill_n(memory_.host() + start, block_size_, u8{0xff});
  contents_changed(start, block_size_, kEraseError);
}

void PflashCfi01::change_lock(u64 offset, u8 value) {
  if (value == kSetLock)
    locked_[block(offset)] = 1;
  else if (value == kConfirm)
    locked_[block(offset)] = 0;
  else
    status_ |= kSequenceError;
}

bool PflashCfi01::may_change(u64 offset, u8 error) {
  const bool fixed = drive_ != nullptr && drive_->read_only();
  if (!fixed && locked_[block(offset)] == 0) return true;
  status_ |= static_cast<u8>(error | kLockError);
  return false;
}

void PflashCfi01::contents_changed(u64 offset, u64 length, u8 error) {
  memory_.ram()->mark_dirty(offset, length);
  saver_.changed(offset, length);
  if (!saver_.is_settled()) at_risk_ |= error;
}

// Ready is when the drive has what the guest changed; who does not ask goes on at once. That a load
// has it written anew is no matter of the guest's.
u8 PflashCfi01::status() const {
  return at_risk_ == 0 ? status_ : static_cast<u8>(status_ & ~kReady);
}

void PflashCfi01::saved(bool ok) {
  if (!ok) status_ |= at_risk_;
  at_risk_ = 0;
}

// Manufacturer, device, and the lock of each block at its third byte.
u8 PflashCfi01::identifier(u64 offset) const {
  switch (offset % block_size_) {
    case 0: return static_cast<u8>(id0_);
    case 1: return static_cast<u8>(id1_);
    case 2: return locked_[block(offset)];
    default: return 0;
  }
}

// The query structure (JESD68 and the datasheet's appendix A).
u8 PflashCfi01::query(u64 offset) const {
  const u32 last_block = blocks_ - 1, block_units = block_size_ / 256;
  switch (offset) {
    case 0x10: return 'Q';
    case 0x11: return 'R';
    case 0x12: return 'Y';
    case 0x13: return 0x01;  // Intel's command set
    case 0x15: return 0x31;  // where its extended query is
    case 0x1b: return 0x45;  // 4.5 to 5.5 volts
    case 0x1c: return 0x55;
    case 0x1f: return 7;  // 128 microseconds for a byte, for a buffer; 1 s for a block
    case 0x20: return 7;
    case 0x21: return 10;
    case 0x23:  // at most 16 times as long
    case 0x24:
    case 0x25: return 4;
    case 0x27: return static_cast<u8>(std::bit_width(size() - 1));
    case 0x2a: return static_cast<u8>(std::bit_width(kBufferBytes - 1));
    case 0x2c: return 1;  // all blocks have one size
    case 0x2d: return static_cast<u8>(last_block);
    case 0x2e: return static_cast<u8>(last_block >> 8);
    case 0x2f: return static_cast<u8>(block_units);
    case 0x30: return static_cast<u8>(block_units >> 8);
    case 0x31: return 'P';
    case 0x32: return 'R';
    case 0x33: return 'I';
    case 0x34: return '1';
    case 0x35: return '1';
    case 0x36: return 0x20;  // blocks are locked one by one
    case 0x3b: return 0x01;  // a block's status tells its lock
    case 0x3d: return 0x50;
    default: return 0;
  }
}

namespace {
const RegisterType<PflashCfi01, Device> registration;
}  // namespace

}  // namespace rhea::hw
