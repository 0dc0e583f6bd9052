// SPDX-License-Identifier: GPL-2.0-or-later
// What a virtio disk is asked for, and what it answers (OASIS Virtual I/O Device 1.2, 5.2.6).
#include "hw/virtio/virtio_blk.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {

using namespace virtio_blk;

namespace {

u64 get_le(std::span<const u8> bytes, std::size_t at, unsigned size) {
  u64 value = 0;
  for (unsigned n = 0; n < size; ++n) value |= u64{bytes[at + n]} << (8 * n);
  return value;
}

}  // namespace

void VirtioBlk::serve(u16 number) {
  VirtQueue& queue = core_->queue(number);
  const unsigned budget = queue.entries();
  unsigned taken = 0;
  const auto goes_on = [&] { return taken < budget && !core_->turn_is_over(); };
  while (goes_on() && requests_.has_room() && queue.pop(buffer_) == Popped::One) {
    take(number);
    ++taken;
  }
  if (taken != 0) core_->tell_driver(number);
  if (!requests_.has_room())
    starved_[number] = true;
  else if (!goes_on())
    core_->serve_again(number);
}

/// Of a buffer that has no room for a status, or not the header, nobody can be told.
void VirtioBlk::take(u16 number) {
  VirtQueue& queue = core_->queue(number);
  std::array<u8, kHeaderBytes> header{};
  if (buffer_.in_bytes == 0) {
    const std::array<u8, 1> status{kIoError};
    queue.write(buffer_, 0, status);
    return;
  }
  if (!queue.read(buffer_, 0, header)) return;
  const auto kind = static_cast<u32>(get_le(header, 0, 4));
  u64 data_bytes = 0;
  const auto status = begin(number, kind & ~kBarrier, get_le(header, 8, 8), data_bytes);
  if (status) answer(buffer_, number, *status, data_bytes);
}

void VirtioBlk::answer(const VirtBuffer& buffer, u16 number, u8 status, u64 data_bytes) {
  VirtQueue& queue = core_->queue(number);
  const std::array<u8, 1> byte{status};
  if (!queue.write(buffer, buffer.in_bytes - 1, byte)) return;
  queue.push(buffer, static_cast<u32>(status == kOk ? data_bytes + 1 : 1));
}

std::optional<u8> VirtioBlk::begin(u16 number, u32 kind, u64 sector, u64& data_bytes) {
  switch (kind) {
    case kIn: return move_data(number, false, sector);
    case kOut: return move_data(number, true, sector);
    case kFlushType:
      add({.buffer = buffer_, .queue = number, .op = BlkRequest::Op::Flush});
      return std::nullopt;
    case kGetId: return send_id(data_bytes);
    case kDiscardType:
      if (!core_->accepts(kDiscard)) return kUnsupported;
      return change_range(number, false);
    case kWriteZeroesType:
      if (!core_->accepts(kWriteZeroes)) return kUnsupported;
      return change_range(number, true);
    default: return kUnsupported;
  }
}

void VirtioBlk::add(BlkRequest request) { requests_.add(std::move(request)); }

bool VirtioBlk::is_on_disk(u64 sector, u64 bytes) const {
  const u64 blocks_of = block_bytes_ / kSector;
  if (sector % blocks_of == 0 && bytes % block_bytes_ == 0 && sector <= sectors_ &&
      bytes / kSector <= sectors_ - sector)
    return true;
  log_guest("virtio-blk", "{} bytes at sector {} of {}", bytes, sector, sectors_);
  return false;
}

std::optional<u8> VirtioBlk::move_data(u16 number, bool write, u64 sector) {
  const u64 bytes = write ? buffer_.out_bytes - kHeaderBytes : buffer_.in_bytes - 1;
  if (!is_on_disk(sector, bytes) || (write && core_->offers(kReadOnly))) return kIoError;
  add({.buffer = buffer_,
       .queue = number,
       .op = write ? BlkRequest::Op::Write : BlkRequest::Op::Read,
       .offset = sector * kSector,
       .length = bytes,
       .write_through = write && !caches()});
  return std::nullopt;
}

std::optional<u8> VirtioBlk::change_range(u16 number, bool zeroes) {
  std::array<u8, kRangeBytes> bytes{};
  const u64 there = buffer_.out_bytes - kHeaderBytes;
  if (there > kRangeBytes) return kUnsupported;
  if (there < kRangeBytes ||
      buffer_.out.from_guest(core_->memory(), kHeaderBytes, bytes) != MemResult::Ok)
    return kIoError;
  const Range range{.sector = get_le(bytes, 0, 8),
                    .count = static_cast<u32>(get_le(bytes, 8, 4)),
                    .flags = static_cast<u32>(get_le(bytes, 12, 4))};
  if ((range.flags & ~(zeroes ? kUnmap : 0)) != 0) return kUnsupported;
  const u64 length = range.count * kSector;
  if (range.count > (zeroes ? most_zeroes_ : most_discard_) || !is_on_disk(range.sector, length) ||
      core_->offers(kReadOnly))
    return kIoError;
  add({.buffer = buffer_,
       .queue = number,
       .op = zeroes ? BlkRequest::Op::WriteZeroes : BlkRequest::Op::Discard,
       .offset = range.sector * kSector,
       .length = length,
       .unmap = range.flags != 0,
       .write_through = zeroes && !caches()});
  return std::nullopt;
}

u8 VirtioBlk::send_id(u64& data_bytes) {
  std::array<u8, kIdBytes> id{};
  std::ranges::copy(serial_, id.begin());
  data_bytes = std::min<u64>(kIdBytes, buffer_.in_bytes - 1);
  const auto shown = std::span(id).first(data_bytes);
  return buffer_.in.to_guest(core_->memory(), 0, shown) == MemResult::Ok ? kOk : kIoError;
}

}  // namespace rhea::hw
