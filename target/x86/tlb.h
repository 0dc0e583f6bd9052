// SPDX-License-Identifier: GPL-2.0-or-later
// The software translation look-aside buffer: which linear pages can be read and written directly.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <functional>
#include <span>
#include <vector>

namespace rhea::x86 {

/// With whose rights memory is accessed: the translations differ, so each has tables of its own.
enum class Privilege : u8 {
  Supervisor,    ///< CPL 0..2, and the processor's own accesses to tables; SMAP applies if it is on
  SupervisorAc,  ///< CPL 0..2 with EFLAGS.AC set while SMAP is on: user pages may be touched
  User,          ///< CPL 3
  UserAligned,   ///< CPL 3 with alignment checks on (CR0.AM, EFLAGS.AC): never filled
};
inline constexpr unsigned kPrivileges = 4;

/// An entry is there only if the access needs nothing but the host's memory: no device, no dirty
/// bit to set, no watchpoint, no decoded code on the page.
struct TlbEntry {
  static constexpr u64 kInvalid = ~u64{0};  // no page address
  u64 page{kInvalid};                       ///< linear address of the page
  u64 addend{};                             ///< host address minus linear address
};

/// The tables that accesses look into, with nothing in between: direct-mapped, of a power of two of
/// entries, the same number in both. Who changes the tables makes the views of them anew.
struct TlbView {
  const TlbEntry* read{};
  const TlbEntry* write{};
  u64 mask{};       ///< of an entry's number: (linear >> 12) & mask
  u64 byte_mask{};  ///< of its place in the table: (linear >> 8) & byte_mask

  static constexpr unsigned kByteShift = 8;

  static TlbView of(const TlbEntry* read, const TlbEntry* write, u64 entries) {
    return {.read = read,
            .write = write,
            .mask = entries - 1,
            .byte_mask = (entries - 1) * sizeof(TlbEntry)};
  }
  /// The host address of `size` bytes at `linear` if they lie on one page with an entry, else null.
  u8* find_read(u64 linear, unsigned size) const { return find(read, linear, size); }
  u8* find_write(u64 linear, unsigned size) const { return find(write, linear, size); }

 private:
  u8* find(const TlbEntry* table, u64 linear, unsigned size) const {
    const TlbEntry& entry = table[linear >> 12 & mask];
    // The last byte's page is compared with an entry that only the first byte's page can have.
    if (entry.page != ((linear + size - 1) & ~u64{0xfff})) [[unlikely]]
      return nullptr;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): what fits into one addition
    return reinterpret_cast<u8*>(linear + entry.addend);
  }
};
static_assert(sizeof(TlbEntry) == 1 << (12 - TlbView::kByteShift));

/// The tables of one privilege. They take memory when first filled, and grow while entries push
/// each other out.
class Tlb {
 public:
  static constexpr unsigned kFewest = 1024, kMost = 32768;  ///< entries of each table

  const TlbView& view() const { return view_; }
  /// `write` may be null. `room` is how many entries more there may be. True: the view has changed.
  bool put(u64 linear, u8* read, u8* write, u64& room);
  /// Gives memory back that was of little use, into `room`.
  void clear(u64& room);
  void drop_page(u64 linear);
  void drop_writes();
  /// Ways to write a page of the host's.
  void drop_writes_to(const u8* host_page);
  /// What lies within the naturally aligned 1 << `shift` bytes around `linear`.
  void drop_range(u64 linear, unsigned shift);
  /// Every valid entry, and whether it is to write.
  void visit(const std::function<void(const TlbEntry&, bool write)>& see) const;

 private:
  using Table = std::vector<TlbEntry>;
  static void set(Table& table, u64 page, u8* host);
  void resize(std::size_t entries);
  void update_view() { view_ = TlbView::of(read_.data(), write_.data(), read_.size()); }
  bool grow(u64& room);

  // Guests that change their tables all the time have hardly any entries.
  bool is_few() const { return few_count_ <= kFew; }
  std::span<const u16> few() const { return std::span(few_).first(few_count_); }
  void note_filled(u16 slot);
  /// Calls `act` with each slot that may hold something.
  template <class Act>
  void each_filled(Act act) const {
    if (!used_) return;
    if (is_few())
      for (const u16 slot : few()) act(slot);
    else
      for (std::size_t slot = 0; slot < read_.size(); ++slot) act(slot);
  }

  static constexpr std::size_t kFew = 64;
  static constexpr TlbEntry kNone{};
  Table read_, write_;
  TlbView view_{TlbView::of(&kNone, &kNone, 1)};
  bool used_{};                       ///< whether there is anything to clear
  std::size_t puts_{}, conflicts_{};  ///< since the tables were cleared or last looked at
  std::size_t filled_{};              ///< puts since they were cleared
  std::array<u16, kFew> few_{};       ///< all slots filled since they were cleared, while they fit
  std::size_t few_count_{};           ///< of them; kFew + 1: there are more
};

}  // namespace rhea::x86
