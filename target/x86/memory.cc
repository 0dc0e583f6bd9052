// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses that no TLB entry serves: translation, page crossings, devices, watched pages, checks.
#include "softmmu/host_access.h"
#include "target/x86/cpu.h"
#include "target/x86/paging.h"
#include "target/x86/system/debug.h"

#include <algorithm>
#include <bit>

namespace rhea::x86 {
namespace {

constexpr u64 kOffset = 0xfff;

// A device takes up to 8 bytes at once; what is left of an access over a page's end and has no
// device's size goes byte by byte.
unsigned piece_of(unsigned size) {
  if (size >= 8) return 8;
  return std::has_single_bit(size) ? size : 1;
}

void read_device(Bus& bus, u64 address, u8* to, unsigned size) {
  while (size > 0) {
    const unsigned piece = piece_of(size);
    const u64 value = bus.read(address, piece);
    std::memcpy(to, &value, piece);
    address += piece;
    to += piece;
    size -= piece;
  }
}

/// Of 16 bytes, aligned: in one piece on processors with AVX (SDM vol. 3, 9.1.1).
void write_vector(u8* host, const u8* from) {
  using Vector = u64 __attribute__((vector_size(16), may_alias));
  Vector value;
  std::memcpy(&value, from, sizeof value);
  *reinterpret_cast<Vector*>(host) = value;
}

// No byte is written twice, as memcpy() does for small sizes: between the two, another processor
// may have written there. What is aligned and no larger than a register moves as one.
void write_host(u8* host, const u8* from, unsigned size) {
  for (; size >= 16 && reinterpret_cast<std::uintptr_t>(host) % 16 == 0; size -= 16) {
    write_vector(host, from);
    host += 16;
    from += 16;
  }
  while (size > 0) {
    const unsigned piece = piece_of(size);
    softmmu::copy_to_host(host, from, piece);
    host += piece;
    from += piece;
    size -= piece;
  }
}

void write_device(Bus& bus, u64 address, const u8* from, unsigned size) {
  while (size > 0) {
    const unsigned piece = piece_of(size);
    u64 value = 0;
    std::memcpy(&value, from, piece);
    bus.write(address, value, piece);
    address += piece;
    from += piece;
    size -= piece;
  }
}

}  // namespace

/// The part of an access that lies on one page, translated and checked. `page` is there after
/// attach(), and good until the bus is used, which may let the map change: walking the page tables
/// for the other piece may do that, and so does this one's other half if it is a device.
struct Cpu::Piece {
  u64 linear{}, physical{};
  u64 epoch{};
  bool writable{};
  HostPage page;

  u8* read_host() const {
    return page.read != nullptr ? page.read + (physical & kOffset) : nullptr;
  }
  u8* write_host() const {
    return page.write != nullptr ? page.write + (physical & kOffset) : nullptr;
  }
};

// Translates, which meets whatever the access has to raise.
OrFault<Cpu::Piece> Cpu::locate(u64 at, bool write, unsigned segment, Privilege as) {
  if (mode == Mode::Long || lma()) {
    if (!canonical(at))
      return Unexpected(
          {.vector = segment == Ss ? Vector::Ss : Vector::Gp, .has_error = true, .error = 0});
  } else {
    at &= 0xffff'ffff;
  }
  const auto to = find_translation(*this, at, write ? AccessKind::Write : AccessKind::Read, as);
  if (!to) return Unexpected(to.error());
  return Piece{.linear = at,
               .physical = to->physical,
               .epoch = tlb.changes(),
               .writable = to->writable,
               .page = {}};
}

// Looks the page up, and makes the TLB entry if nothing stands against it.
void Cpu::attach(Piece& piece, Privilege as) {
  piece.page = bus->page(piece.physical & ~kOffset);
  if (as == Privilege::UserAligned || piece.epoch != tlb.changes() ||
      watches_page(*this, piece.linear))
    return;
  if (piece.page.read == nullptr) return;
  const bool writable = piece.writable && !piece.page.watched;
  if (tlb.put(as, piece.linear, piece.page.read, writable ? piece.page.write : nullptr))
    update_views();
}

namespace {

void check_alignment(u64 linear, unsigned size, Privilege as) {
  if (as == Privilege::UserAligned && (linear & (std::min(size, 8U) - 1)) != 0)
    raise(Vector::Ac, 0);
}

}  // namespace

void Cpu::read_slow(u64 at, void* to, unsigned size, unsigned segment, Privilege as) {
  check_alignment(at, size, as);
  auto* bytes = static_cast<u8*>(to);
  const unsigned first = std::min<unsigned>(size, static_cast<unsigned>(0x1000 - (at & kOffset)));
  Piece low = value_or_throw(locate(at, false, segment, as));
  const bool crosses = first < size;
  Piece high = crosses ? value_or_throw(locate(at + first, false, segment, as)) : Piece{};
  const auto fetch = [this, as](Piece& piece, u8* bytes_to, unsigned count) {
    attach(piece, as);
    if (const u8* host = piece.read_host())
      std::memcpy(bytes_to, host, count);
    else
      read_device(*bus, piece.physical, bytes_to, count);
  };
  fetch(low, bytes, first);
  if (crosses) fetch(high, bytes + first, size - first);
  note_access(*this, at, size, false);
}

void Cpu::write_slow(u64 at, const void* from, unsigned size, unsigned segment, Privilege as) {
  check_alignment(at, size, as);
  const auto* bytes = static_cast<const u8*>(from);
  const unsigned first = std::min<unsigned>(size, static_cast<unsigned>(0x1000 - (at & kOffset)));
  // Both pages are checked before either is written.
  Piece low = value_or_throw(locate(at, true, segment, as));
  const bool crosses = first < size;
  Piece high = crosses ? value_or_throw(locate(at + first, true, segment, as)) : Piece{};
  const auto put = [this, as](Piece& piece, const u8* bytes_from, unsigned count) {
    attach(piece, as);
    if (u8* host = piece.write_host()) {
      write_host(host, bytes_from, count);
      if (piece.page.watched) bus->wrote(piece.physical, count);
    } else {
      write_device(*bus, piece.physical, bytes_from, count);
    }
  };
  put(low, bytes, first);
  if (crosses) put(high, bytes + first, size - first);
  note_access(*this, at, size, true);
}

void Cpu::modify_slow(u64 at, unsigned size, unsigned segment, bool locked,
                      void (*change)(void*, u8*), void* context) {
  check_alignment(at, size, privilege);
  const unsigned first = std::min<unsigned>(size, static_cast<unsigned>(0x1000 - (at & kOffset)));
  Piece low = value_or_throw(locate(at, true, segment, privilege));
  const bool crosses = first < size;
  if (crosses) value_or_throw(locate(at + first, true, segment, privilege));
  attach(low, privilege);
  u8* const host = low.write_host();
  const bool splits = splits_line(at, size);
  if (!crosses && host != nullptr && !(locked && splits)) {
    change(context, host);
    if (low.page.watched) bus->wrote(low.physical, size);
  } else {
    // Two lines, two pages or a device: in a buffer, and alone if it must be atomic.
    struct Job {
      Cpu* cpu;
      u64 at;
      unsigned size, segment;
      void (*change)(void*, u8*);
      void* context;
    } job{this, at, size, segment, change, context};
    const auto run = [](void* opaque) {
      auto& j = *static_cast<Job*>(opaque);
      alignas(16) std::array<u8, 16> buffer{};
      j.cpu->read_slow(j.at, buffer.data(), j.size, j.segment, j.cpu->privilege);
      j.change(j.context, buffer.data());
      j.cpu->write_slow(j.at, buffer.data(), j.size, j.segment, j.cpu->privilege);
    };
    if (locked && splits)
      bus->exclusively(run, &job);
    else
      run(&job);
    return;
  }
  note_access(*this, at, size, false);
  note_access(*this, at, size, true);
}

void Cpu::probe_write(unsigned segment, u64 offset, unsigned size) {
  const u64 at = linear(segment, offset, size, true);
  if (view.find_write(at, size) != nullptr) return;
  check_alignment(at, size, privilege);
  const auto first = static_cast<unsigned>(0x1000 - (at & kOffset));
  const auto probe = [this, segment](u64 linear) {
    Piece piece = value_or_throw(locate(linear, true, segment, privilege));
    attach(piece, privilege);
  };
  probe(at);
  if (first < size) probe(at + first);
}

std::optional<Fault> Cpu::foresee(unsigned segment, u64 offset, unsigned size, bool write) {
  if (privilege == Privilege::UserAligned) return std::nullopt;
  const SegmentRegister& s = seg[segment];
  if (mode != Mode::Long && offset + size > (write ? s.write_end : s.read_end)) return std::nullopt;
  const u64 at = linear(segment, offset, size, write);
  const auto first = static_cast<unsigned>(0x1000 - (at & kOffset));
  auto low = locate(at, write, segment, privilege);
  if (!low) return low.error();
  if (first >= size) {
    attach(*low, privilege);
    return std::nullopt;
  }
  const auto high = locate(at + first, write, segment, privilege);
  return high ? std::nullopt : std::optional(high.error());
}

void Cpu::read_bytes(unsigned segment, u64 offset, void* to, unsigned size) {
  const u64 at = linear(segment, offset, size, false);
  if (const u8* host = view.find_read(at, size)) [[likely]]
    std::memcpy(to, host, size);
  else
    read_slow(at, to, size, segment, privilege);
}

void Cpu::write_bytes(unsigned segment, u64 offset, const void* from, unsigned size) {
  const u64 at = linear(segment, offset, size, true);
  if (u8* host = view.find_write(at, size)) [[likely]]
    write_host(host, static_cast<const u8*>(from), size);
  else
    write_slow(at, from, size, segment, privilege);
}

}  // namespace rhea::x86
