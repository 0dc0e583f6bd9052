// SPDX-License-Identifier: GPL-2.0-or-later
// Bus-master IDE: registers and descriptor walk of one channel.
#include "hw/ide/bus_master.h"

#include "hw/ide/ide_bus.h"
#include "hw/ide/trace_events.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kCommandStart = 0x01, kCommandToMemory = 0x08;
constexpr u8 kStatusActive = 0x01, kStatusError = 0x02, kStatusInterrupt = 0x04,
             kStatusCapable = 0x60;
// A table lies within 64 KiB and a descriptor has 8 bytes.
constexpr u32 kMaxDescriptors = 8192;
constexpr u32 kEndOfTable = 0x80000000;

}  // namespace

void BusMaster::describe(StateFields<BusMaster>& s) {
  s.state("command", &BusMaster::command_);
  s.state("status", &BusMaster::status_);
  s.state("table", &BusMaster::table_);
  s.state("index", &BusMaster::index_).range(0, kMaxDescriptors);
  s.state("address", &BusMaster::address_);
  s.state("left", &BusMaster::left_).range(0, 0x10000);
  s.state("last", &BusMaster::last_);
}

void BusMaster::reset() {
  command_ = status_ = 0;
  table_ = index_ = address_ = left_ = 0;
  last_ = false;
}

u8 BusMaster::read(unsigned reg) const {
  switch (reg) {
    case 0: return command_;
    case 2: return status_;
    case 4:
    case 5:
    case 6:
    case 7: return static_cast<u8>(table_ >> (8 * (reg - 4)));
    default: return 0xff;
  }
}

void BusMaster::write(unsigned reg, u8 value) {
  bmdma_write(*bus_, bus_->name(), reg, value);
  switch (reg) {
    case 0: return command(value);
    case 2:
      status_ = static_cast<u8>((value & kStatusCapable) | (status_ & kStatusActive) |
                                (status_ & ~value & (kStatusError | kStatusInterrupt)));
      return;
    case 4:
    case 5:
    case 6:
    case 7: {
      const unsigned shift = 8 * (reg - 4);
      table_ = (table_ & ~(0xffu << shift)) | u32{value} << shift;
      table_ &= ~3u;
      return;
    }
    default: return;
  }
}

void BusMaster::command(u8 value) {
  const bool started = (value & ~command_ & kCommandStart) != 0;
  command_ = value & (kCommandStart | kCommandToMemory);
  if ((command_ & kCommandStart) == 0) {
    // A device that is not through keeps its data and waits.
    status_ &= static_cast<u8>(~kStatusActive);
    return;
  }
  if (!started) return;
  status_ |= kStatusActive;
  index_ = left_ = 0;
  last_ = false;
  bus_->dma_started();
}

// The next piece of memory; false at the end of the table or when it cannot be read.
bool BusMaster::next_descriptor() {
  if (last_ || index_ >= kMaxDescriptors) return false;
  u64 raw = 0;
  if (dma_->read_value(u64{table_} + 8 * u64{index_}, raw) != MemResult::Ok) {
    status_ |= kStatusError;
    return false;
  }
  ++index_;
  const auto control = static_cast<u32>(raw >> 32);
  address_ = static_cast<u32>(raw) & ~1u;
  left_ = (control & 0xfffe) == 0 ? 0x10000 : control & 0xfffe;
  last_ = (control & kEndOfTable) != 0;
  bmdma_prd(*bus_, bus_->name(), address_, left_);
  return true;
}

template <class Span, class Transfer>
IdeDma::Move BusMaster::move(Span data, Transfer transfer) {
  if ((status_ & kStatusActive) == 0) return {.complete = false, .bytes = 0};
  std::size_t done = 0;
  while (done < data.size()) {
    bool ok = left_ != 0 || next_descriptor();
    if (ok) {
      const std::size_t count = std::min<std::size_t>(left_, data.size() - done);
      ok = transfer(address_, data.subspan(done, count)) == MemResult::Ok;
      if (ok) {
        address_ += static_cast<u32>(count);
        left_ -= static_cast<u32>(count);
        done += count;
      } else {
        status_ |= kStatusError;
      }
    }
    if (!ok) {
      status_ &= static_cast<u8>(~kStatusActive);
      return {.complete = false, .bytes = done};
    }
  }
  // Active goes with the last byte of the table.
  if (left_ == 0 && last_) status_ &= static_cast<u8>(~kStatusActive);
  return {.complete = true, .bytes = done};
}

IdeDma::Move BusMaster::to_memory(std::span<const u8> data) {
  return move(data,
              [this](u64 address, std::span<const u8> part) { return dma_->write(address, part); });
}

IdeDma::Move BusMaster::from_memory(std::span<u8> data) {
  return move(data, [this](u64 address, std::span<u8> part) { return dma_->read(address, part); });
}

void BusMaster::interrupt() { status_ |= kStatusInterrupt; }

}  // namespace rhea::hw
