// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/discard.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace rhea {
namespace {

/// What is shared by descriptor would stay in its file if only this mapping forgot it.
Result<> discard(RamBlock& ram, u64 offset, u64 length) {
  const int failed = ram.fd() >= 0
                         ? ::fallocate(ram.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                       static_cast<off_t>(offset), static_cast<off_t>(length))
                         : ::madvise(ram.host() + offset, length, MADV_DONTNEED);
  if (failed != 0)
    return fail("RAM block '{}': cannot give {} bytes back to the host: {}", ram.id(), length,
                errno_text(errno));
  ram.mark_dirty(offset, length);
  return {};
}

}  // namespace

Result<u64> discard_memory(const AddressSpace& space, u64 address, u64 length) {
  if (length == 0) return u64{0};
  const u64 last = length - 1 > ~u64{0} - address ? ~u64{0} : address + (length - 1);
  u64 given = 0;
  const RcuGuard guard;
  for (const FlatRange& range : space.view().ranges()) {
    if (range.last < address || range.first > last || !range.writable_memory()) continue;
    const u64 from = range.offset + (std::max(address, range.first) - range.first);
    const u64 end = range.offset + (std::min(last, range.last) - range.first) + 1;
    const u64 first_page = (from + kPageSize - 1) & ~(kPageSize - 1);
    const u64 end_page = end & ~(kPageSize - 1);
    if (first_page >= end_page) continue;
    TRY(discard(*range.region->ram(), first_page, end_page - first_page));
    given += end_page - first_page;
  }
  return given;
}

}  // namespace rhea
