// SPDX-License-Identifier: GPL-2.0-or-later
// A back end in memory.
#include "chardev/ringbuf.h"

#include "chardev/backend.h"

#include <algorithm>
#include <bit>

namespace rhea::chardev {

Result<> RingChardev::attach(FrontEnd front_end) {
  TRY(Chardev::attach(std::move(front_end)));
  deliver(ChardevEvent::Opened);
  return {};
}

std::size_t RingChardev::write(std::span<const u8> data) {
  put(data);
  const std::lock_guard lock(mutex_);
  return logged(data);
}

void RingChardev::put(std::span<const u8> data) {
  const std::lock_guard lock(mutex_);
  for (const u8 byte : data) {
    ring_[(first_ + count_) % ring_.size()] = byte;
    if (count_ < ring_.size())
      ++count_;
    else
      first_ = (first_ + 1) % ring_.size();
  }
}

std::string RingChardev::take(std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (std::size_t n = std::min(limit, count_); n > 0; --n) {
    text += static_cast<char>(ring_[first_]);
    first_ = (first_ + 1) % ring_.size();
    --count_;
  }
  return text;
}

namespace {

Result<std::unique_ptr<Chardev>> make(Machine&, KeyValues& options, Opening) {
  const u64 size = TRY(parse_size(options.take("size").value_or("65536")));
  if (!std::has_single_bit(size) || size > GiB)
    return fail("chardev: ringbuf: size {} is not a power of two up to 1G", size);
  auto ring = create<RingChardev>();
  ring->resize(size);
  return ring;
}

const RegisterType<RingChardev> registration;
const RegisterBackend backend{{.name = "ringbuf", .alias = "memory", .create = &make}};

}  // namespace
}  // namespace rhea::chardev
