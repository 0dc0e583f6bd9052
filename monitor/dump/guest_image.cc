// SPDX-License-Identifier: GPL-2.0-or-later
// Collecting what a dump is made of.
#include "monitor/dump/guest_image.h"

#include "accel/accelerator.h"
#include "monitor/dump/guest_note.h"
#include "monitor/guest_memory.h"
#include "rhea/util/rcu.h"
#include "target/x86/page_map.h"

#include <algorithm>
#include <map>

namespace rhea::dump {
namespace {

constexpr u64 kLongModeActive = u64{1} << 10;
// Of all processors together: guests can build page tables without end.
constexpr u64 kMostTables = 20'000;
constexpr std::size_t kMostMappings = 60'000;

/// The piece of a range that the filter leaves.
std::optional<Piece> filtered(const FlatRange& range, const std::optional<Filter>& filter) {
  u64 first = range.first, last = range.last;
  if (filter) {
    if (filter->length == 0) return std::nullopt;
    first = std::max(first, filter->begin);
    last = std::min(last, filter->begin + (filter->length - 1));
  }
  if (first > last) return std::nullopt;
  return Piece{.physical = first, .size = last - first + 1, .host = range.host(first)};
}

void collect_memory(const AddressSpace& space, const std::optional<Filter>& filter,
                    GuestImage& image) {
  const RcuGuard guard;
  for (const FlatRange& range : space.view().ranges()) {
    if (!range.region->backed_by_ram() || !range.readable_memory()) continue;
    const auto piece = filtered(range, filter);
    if (!piece) continue;
    image.keep_alive.push_back(range.region->ram());
    Piece* last = image.pieces.empty() ? nullptr : &image.pieces.back();
    if (last != nullptr && last->physical + last->size == piece->physical &&
        last->host + last->size == piece->host)
      last->size += piece->size;
    else
      image.pieces.push_back(*piece);
  }
}

/// Mappings by linear address, neighbours joined; the first processor's win.
class MappingList {
 public:
  /// False when there are too many.
  bool add(const Mapping& mapping) {
    auto next = by_address_.upper_bound(mapping.linear);
    if (next != by_address_.begin()) {
      Mapping& before = std::prev(next)->second;
      if (before.linear + before.size > mapping.linear) return true;
      if (before.linear + before.size == mapping.linear &&
          before.physical + before.size == mapping.physical) {
        before.size += mapping.size;
        return true;
      }
    }
    if (by_address_.size() >= kMostMappings) return false;
    by_address_.emplace_hint(next, mapping.linear, mapping);
    return true;
  }
  const std::map<u64, Mapping>& all() const { return by_address_; }

 private:
  std::map<u64, Mapping> by_address_;
};

/// The parts of a page that are among the pieces.
template <class Visit>
bool each_part(const GuestImage& image, const x86::MappedPage& page, const Visit& visit) {
  auto piece = std::ranges::upper_bound(image.pieces, page.physical, {}, &Piece::physical);
  if (piece != image.pieces.begin()) --piece;
  for (; piece != image.pieces.end() && piece->physical < page.physical + page.size; ++piece) {
    const u64 first = std::max(piece->physical, page.physical);
    const u64 end = std::min(piece->physical + piece->size, page.physical + page.size);
    if (first >= end) continue;
    if (!visit(Mapping{.linear = page.linear + (first - page.physical),
                       .physical = first,
                       .size = end - first}))
      return false;
  }
  return true;
}

Result<> map_by_page_tables(Machine& machine, GuestImage& image) {
  MappingList list;
  const auto read = [&machine](u64 address, std::span<u8> data) {
    return monitor::read_memory(machine, address, data);
  };
  for (const x86::CpuState& cpu : image.cpus) {
    const bool complete = x86::visit_mapped_pages(
        cpu, read, kMostTables / image.cpus.size(), [&](const x86::MappedPage& page) {
          return each_part(image, page, [&](const Mapping& part) { return list.add(part); });
        });
    if (!complete) return fail("dump: the guest's page tables map too much to be listed");
  }
  for (const auto& [linear, mapping] : list.all()) image.mappings.push_back(mapping);
  return {};
}

}  // namespace

u64 GuestImage::bytes() const {
  u64 sum = 0;
  for (const Mapping& mapping : mappings) sum += mapping.size;
  return sum;
}

const u8* GuestImage::host(u64 physical) const {
  const auto next = std::ranges::upper_bound(pieces, physical, {}, &Piece::physical);
  RHEA_ASSERT(next != pieces.begin());
  return std::prev(next)->host + (physical - std::prev(next)->physical);
}

bool GuestImage::is_64bit() const {
  return !cpus.empty() && (cpus.front().efer & kLongModeActive) != 0;
}

Result<GuestImage> take_image(Machine& machine, bool paging, const std::optional<Filter>& filter) {
  GuestImage image;
  collect_memory(machine.memory(), filter, image);
  if (image.pieces.empty()) return fail("dump: no guest memory to dump");
  const auto& accel = machine.service<accel::AccelService>();
  for (unsigned cpu = 0; cpu < accel.vcpu_count(); ++cpu)
    image.cpus.push_back(TRY(accel.cpu_state(cpu)));
  image.guest_note = guest_note(machine);
  if (paging && std::ranges::any_of(image.cpus, &x86::paging_enabled)) {
    TRY(map_by_page_tables(machine, image));
  } else {
    for (const Piece& piece : image.pieces)
      image.mappings.push_back(
          {.linear = piece.physical, .physical = piece.physical, .size = piece.size});
  }
  if (image.mappings.empty()) return fail("dump: no guest memory to dump");
  return image;
}

}  // namespace rhea::dump
