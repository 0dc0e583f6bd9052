// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/frame_batch.h"

#include "hw/net/frame_sums.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {

std::span<u8> FrameBatch::extend(std::size_t length) {
  if (length > kLongest - making_) return {};
  const std::span<u8> more(bytes_.data() + start_ + kTagBytes + making_, length);
  making_ += length;
  return more;
}

Frame FrameBatch::finish(std::optional<u32> tag) {
  constexpr std::size_t kAddresses = 12;
  std::size_t first = start_ + kTagBytes;
  if (tag && making_ >= kAddresses) {
    first = start_;
    std::memmove(bytes_.data() + start_, bytes_.data() + start_ + kTagBytes, kAddresses);
    put_be32(bytes_, start_ + kAddresses, *tag);
  }
  const std::size_t end = start_ + kTagBytes + making_;
  places_[count_++] = {.offset = static_cast<u32>(first), .length = static_cast<u32>(end - first)};
  // The next one begins where words of 8 bytes do.
  start_ = (end + 7) & ~std::size_t{7};
  making_ = 0;
  return {bytes_.data() + first, end - first};
}

std::span<const Frame> FrameBatch::frames() {
  for (std::size_t n = 0; n < count_; ++n)
    views_[n] = {bytes_.data() + places_[n].offset, places_[n].length};
  return std::span(views_).first(count_);
}

void FrameBatch::taken(std::size_t count) {
  std::copy(places_.begin() + static_cast<std::ptrdiff_t>(count),
            places_.begin() + static_cast<std::ptrdiff_t>(count_), places_.begin());
  count_ -= count;
  if (count_ != 0 || start_ == 0) return;
  std::memmove(bytes_.data() + kTagBytes, bytes_.data() + start_ + kTagBytes, making_);
  start_ = 0;
}

void FrameBatch::clear() { count_ = start_ = making_ = 0; }

}  // namespace rhea::hw

namespace rhea {

void StateCodec<hw::FrameBatch>::save(const hw::FrameBatch& batch, StateWriter& out) {
  out.number(batch.count_, 4);
  for (std::size_t n = 0; n < batch.count_; ++n) {
    const auto& place = batch.places_[n];
    out.number(place.length, 4);
    out.bytes(std::span(batch.bytes_).subspan(place.offset, place.length));
  }
  out.number(batch.making_, 4);
  out.bytes(
      std::span(batch.bytes_).subspan(batch.start_ + hw::FrameBatch::kTagBytes, batch.making_));
}

Result<> StateCodec<hw::FrameBatch>::load(hw::FrameBatch& batch, StateReader& in,
                                          const StateField& field) {
  batch.clear();
  const u64 count = TRY(in.number(4));
  if (count > hw::FrameBatch::kFrames)
    return fail("state field '{}' has too many frames: {}", field.name, count);
  const auto load_one = [&](bool whole) -> Result<> {
    const u64 length = TRY(in.number(4));
    const u64 most = hw::FrameBatch::kLongest + (whole ? hw::FrameBatch::kTagBytes : 0);
    if (length > most || (whole && length == 0))
      return fail("state field '{}' has a frame of {} bytes", field.name, length);
    const auto saved = TRY(in.bytes(length));
    // A frame that was sent with a tag may be longer than one without.
    if (batch.start_ + hw::FrameBatch::kTagBytes + most > batch.bytes_.size())
      return fail("state field '{}' has too many bytes", field.name);
    std::ranges::copy(
        saved, batch.bytes_.begin() + static_cast<std::ptrdiff_t>(batch.start_ + batch.kTagBytes));
    batch.making_ = length;
    if (whole) batch.finish({});
    return {};
  };
  for (u64 n = 0; n < count; ++n) TRY(load_one(true));
  return load_one(false);
}

}  // namespace rhea
