// SPDX-License-Identifier: GPL-2.0-or-later
// Walking all page tables of a processor (SDM vol. 3, chapter 4).
#include "target/x86/page_map.h"

#include <cstring>

namespace rhea::x86 {
namespace {

constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kLarge = 0x80, kNoExecute = u64{1} << 63;
constexpr u64 kCr0Paging = u64{1} << 31;
constexpr u64 kCr4Pse = u64{1} << 4, kCr4Pae = u64{1} << 5, kCr4La57 = u64{1} << 12;
constexpr u64 kEferLongMode = u64{1} << 10;
constexpr u64 kFrame = 0x000f'ffff'ffff'f000;
constexpr std::size_t kTableBytes = 4096;

struct Rights {
  bool user{true}, writable{true}, no_execute{false};

  Rights and_of(u64 entry) const {
    return {.user = user && (entry & kUser) != 0,
            .writable = writable && (entry & kWritable) != 0,
            .no_execute = no_execute || (entry & kNoExecute) != 0};
  }
};

class Walker {
 public:
  Walker(const CpuState& state, const ReadPhysical& read, u64 most_tables,
         const std::function<bool(const MappedPage&)>& visit)
      : state_(state), read_(read), tables_left_(most_tables), visit_(visit) {}

  bool walk() {
    if ((state_.cr4 & kCr4Pae) == 0) return directory32();
    if ((state_.efer & kEferLongMode) == 0) return pointers();
    const unsigned levels = (state_.cr4 & kCr4La57) != 0 ? 5 : 4;
    return table(state_.cr3 & kFrame, levels, 0, {});
  }

 private:
  template <class Entry, std::size_t N>
  bool load(u64 address, std::array<Entry, N>& entries) {
    if (tables_left_ == 0) return false;
    --tables_left_;
    const std::span<u8> bytes(reinterpret_cast<u8*>(entries.data()), sizeof entries);
    // What cannot be read maps nothing.
    if (!read_(address, bytes)) std::memset(bytes.data(), 0, bytes.size());
    return true;
  }

  bool page(u64 linear, u64 size, u64 entry, u64 physical, const Rights& rights) const {
    return visit_({.linear = linear,
                   .size = size,
                   .entry = entry,
                   .physical = physical,
                   .user = rights.user,
                   .writable = rights.writable,
                   .no_execute = rights.no_execute});
  }

  // 64-bit entries; level 1 is the last. Bits above the highest level's repeat its sign.
  bool table(u64 address, unsigned level, u64 base, const Rights& rights) {
    std::array<u64, kTableBytes / sizeof(u64)> entries{};
    if (!load(address, entries)) return false;
    const unsigned shift = 12 + 9 * (level - 1);
    for (u64 i = 0; i < entries.size(); ++i) {
      const u64 entry = entries[i];
      if ((entry & kPresent) == 0) continue;
      const u64 linear = canonical(base | i << shift);
      const Rights now = rights.and_of(entry);
      const bool last = level == 1 || (level <= 3 && (entry & kLarge) != 0);
      const u64 size = u64{1} << shift;
      const bool go_on = last ? page(linear, size, entry, entry & kFrame & ~(size - 1), now)
                              : table(entry & kFrame, level - 1, linear, now);
      if (!go_on) return false;
    }
    return true;
  }

  u64 canonical(u64 linear) const {
    if ((state_.efer & kEferLongMode) == 0) return linear;
    const unsigned bits = (state_.cr4 & kCr4La57) != 0 ? 57 : 48;
    const u64 sign = u64{1} << (bits - 1);
    linear &= (sign << 1) - 1;
    return (linear ^ sign) - sign;
  }

  // The four pointers of PAE paging have no rights.
  bool pointers() {
    std::array<u64, 4> entries{};
    if (!load(state_.cr3 & 0xffff'ffe0, entries)) return false;
    for (u64 i = 0; i < entries.size(); ++i)
      if ((entries[i] & kPresent) != 0 && !table(entries[i] & kFrame, 2, i << 30, {})) return false;
    return true;
  }

  // 32-bit entries: a directory and tables. A 4 MiB page has bits 39..32 of its address at 20..13.
  bool directory32() {
    std::array<u32, kTableBytes / sizeof(u32)> entries{};
    if (!load(state_.cr3 & 0xffff'f000, entries)) return false;
    for (u64 i = 0; i < entries.size(); ++i) {
      const u64 entry = entries[i];
      if ((entry & kPresent) == 0) continue;
      const Rights rights = Rights().and_of(entry);
      const bool large = (entry & kLarge) != 0 && (state_.cr4 & kCr4Pse) != 0;
      const u64 physical = (entry & 0xffc0'0000) | (entry >> 13 & 0xff) << 32;
      const bool go_on = large ? page(i << 22, u64{1} << 22, entry, physical, rights)
                               : table32(entry & 0xffff'f000, i << 22, rights);
      if (!go_on) return false;
    }
    return true;
  }

  bool table32(u64 address, u64 base, const Rights& rights) {
    std::array<u32, kTableBytes / sizeof(u32)> entries{};
    if (!load(address, entries)) return false;
    for (u64 i = 0; i < entries.size(); ++i) {
      const u64 entry = entries[i];
      if ((entry & kPresent) == 0) continue;
      if (!page(base | i << 12, kTableBytes, entry, entry & 0xffff'f000, rights.and_of(entry)))
        return false;
    }
    return true;
  }

  const CpuState& state_;
  const ReadPhysical& read_;
  u64 tables_left_;
  const std::function<bool(const MappedPage&)>& visit_;
};

}  // namespace

bool paging_enabled(const CpuState& state) { return (state.cr0 & kCr0Paging) != 0; }

bool visit_mapped_pages(const CpuState& state, const ReadPhysical& read, u64 most_tables,
                        const std::function<bool(const MappedPage&)>& visit) {
  return !paging_enabled(state) || Walker(state, read, most_tables, visit).walk();
}

}  // namespace rhea::x86
