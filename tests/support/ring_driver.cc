// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/ring_driver.h"

#include "hw/virtio/ring_layout.h"

#include <algorithm>

namespace rhea::test {
namespace {

namespace ring = hw::ring;

u16 write_flag(const Piece& piece) { return piece.write ? ring::kWrite : u16{0}; }

}  // namespace

void RingDriver::put_split(u64 at, const Piece& piece, u16 flags, u16 next) {
  store(at, piece.address, 8);
  store(at + 8, piece.length, 4);
  store(at + 12, static_cast<u16>(flags | write_flag(piece)), 2);
  store(at + 14, next, 2);
}

// The flags last: they make it available.
void RingDriver::put_packed(u64 at, const Piece& piece, u16 id, u16 flags) {
  store(at, piece.address, 8);
  store(at + 8, piece.length, 4);
  store(at + 12, id, 2);
  std::atomic_thread_fence(std::memory_order_release);
  store(at + 14, static_cast<u16>(flags | write_flag(piece)), 2);
}

void SplitDriver::make_available(u16 head) {
  store(place_.driver + 4 + 2 * u64(available_ % place_.entries), head, 2);
  std::atomic_thread_fence(std::memory_order_release);
  set_available_index(++available_);
}

u16 SplitDriver::add(const std::vector<Piece>& pieces) {
  const u16 head = static_cast<u16>(free_ % place_.entries);
  for (std::size_t n = 0; n < pieces.size(); ++n) {
    const u16 number = static_cast<u16>(free_++ % place_.entries);
    const u16 next = static_cast<u16>(free_ % place_.entries);
    put(number, pieces[n], n + 1 < pieces.size() ? ring::kNext : u16{0}, next);
  }
  make_available(head);
  return head;
}

void SplitDriver::put_table(const std::vector<Piece>& pieces, u64 table) {
  for (std::size_t n = 0; n < pieces.size(); ++n)
    put_split(table + 16 * n, pieces[n], n + 1 < pieces.size() ? ring::kNext : u16{0},
              static_cast<u16>(n + 1));
}

u16 SplitDriver::add_indirect(const std::vector<Piece>& pieces, u64 table) {
  return add_mixed({}, pieces, table);
}

u16 SplitDriver::add_mixed(const std::vector<Piece>& direct, const std::vector<Piece>& pieces,
                           u64 table) {
  put_table(pieces, table);
  const u16 head = static_cast<u16>(free_ % place_.entries);
  for (const Piece& piece : direct) {
    const u16 number = static_cast<u16>(free_++ % place_.entries);
    put(number, piece, ring::kNext, static_cast<u16>(free_ % place_.entries));
  }
  put(static_cast<u16>(free_++ % place_.entries),
      {.address = table, .length = static_cast<u32>(16 * pieces.size())}, ring::kIndirect, 0);
  make_available(head);
  return head;
}

std::optional<UsedBuffer> SplitDriver::take_used() {
  if (static_cast<u16>(load(place_.device + 2, 2)) == seen_) return std::nullopt;
  std::atomic_thread_fence(std::memory_order_acquire);
  const u64 entry = place_.device + 4 + 8 * u64(seen_++ % place_.entries);
  return UsedBuffer{.id = static_cast<u16>(load(entry, 4)),
                    .written = static_cast<u32>(load(entry + 4, 4))};
}

void SplitDriver::want_interrupt_after(u16 more) {
  store(place_.driver + 4 + 2 * u64{place_.entries}, static_cast<u16>(seen_ + more - 1), 2);
}

bool SplitDriver::device_asks_for_next() const {
  return load(place_.device + 4 + 8 * u64{place_.entries}, 2) == available_;
}

void PackedDriver::put(const Piece& piece, u16 id, u16 flags) {
  const u16 available = wrap_ ? ring::kAvailable : ring::kUsed;
  put_packed(place_.descriptors + 16 * u64{free_}, piece, id, static_cast<u16>(flags | available));
  if (++free_ == place_.entries) {
    free_ = 0;
    wrap_ = !wrap_;
  }
}

// The head last.
u16 PackedDriver::add(const std::vector<Piece>& pieces) {
  const u16 id = next_id_++;
  slots_[id] = static_cast<u16>(pieces.size());
  const u16 head = free_;
  const bool head_wrap = wrap_;
  free_ = static_cast<u16>((head + 1) % place_.entries);
  wrap_ = free_ == 0 ? !wrap_ : wrap_;
  for (std::size_t n = 1; n < pieces.size(); ++n)
    put(pieces[n], id, n + 1 < pieces.size() ? ring::kNext : u16{0});
  const u16 behind = free_;
  const bool behind_wrap = wrap_;
  free_ = head;
  wrap_ = head_wrap;
  put(pieces.front(), id, pieces.size() > 1 ? ring::kNext : u16{0});
  free_ = behind;
  wrap_ = behind_wrap;
  return id;
}

void PackedDriver::put_table(const std::vector<Piece>& pieces, u64 table) {
  for (std::size_t n = 0; n < pieces.size(); ++n) put_packed(table + 16 * n, pieces[n], 0, 0);
}

u16 PackedDriver::add_indirect(const std::vector<Piece>& pieces, u64 table) {
  put_table(pieces, table);
  const u16 id = next_id_++;
  slots_[id] = 1;
  put({.address = table, .length = static_cast<u32>(16 * pieces.size())}, id, ring::kIndirect);
  return id;
}

std::optional<UsedBuffer> PackedDriver::take_used() {
  const u64 at = place_.descriptors + 16 * u64{seen_};
  const u64 flags = load(at + 14, 2);
  const bool available = (flags & ring::kAvailable) != 0, used = (flags & ring::kUsed) != 0;
  if (available != seen_wrap_ || used != seen_wrap_) return std::nullopt;
  std::atomic_thread_fence(std::memory_order_acquire);
  const UsedBuffer buffer{.id = static_cast<u16>(load(at + 12, 2)),
                          .written = static_cast<u32>(load(at + 8, 4))};
  // A test that writes anywhere may have made an id of it that it never gave.
  seen_ = static_cast<u16>(seen_ + std::max(slots_[buffer.id], u16{1}));
  if (seen_ >= place_.entries) {
    seen_ = static_cast<u16>(seen_ - place_.entries);
    seen_wrap_ = !seen_wrap_;
  }
  return buffer;
}

void PackedDriver::want_interrupt_after(u16 more) {
  const unsigned target = seen_ + more - 1U;
  const bool over = target >= place_.entries;
  const bool wrap = over ? !seen_wrap_ : seen_wrap_;
  store(place_.driver, (over ? target - place_.entries : target) | (wrap ? 0x8000U : 0U), 2);
  store(place_.driver + 2, ring::kEventAtDescriptor, 2);
}

bool PackedDriver::device_asks_for_next() const {
  return load(place_.device, 2) == (free_ | (wrap_ ? 0x8000U : 0U)) &&
         load(place_.device + 2, 2) == ring::kEventAtDescriptor;
}

}  // namespace rhea::test
