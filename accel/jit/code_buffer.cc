// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for translated code.
#include "accel/jit/code_buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace rhea::jit {
namespace {

u8* map(int file, std::size_t size, int protection) {
  void* at = ::mmap(nullptr, size, protection, MAP_SHARED | MAP_NORESERVE, file, 0);
  return at == MAP_FAILED ? nullptr : static_cast<u8*>(at);
}

}  // namespace

CodeBuffer::CodeBuffer(std::size_t capacity, CodeMemory& memory)
    : capacity_(capacity), memory_(&memory), end_(capacity) {
  file_ = ::memfd_create("rhea-translated-code", MFD_CLOEXEC);
  if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(capacity)) != 0) return;
  writable_ = map(file_, capacity, PROT_READ | PROT_WRITE);
  executable_ = map(file_, capacity, PROT_READ | PROT_EXEC);
}

CodeBuffer::~CodeBuffer() {
  if (writable_ != nullptr) ::munmap(writable_, capacity_);
  if (executable_ != nullptr) ::munmap(executable_, capacity_);
  if (file_ >= 0) ::close(file_);
  memory_->add(-static_cast<i64>(size()));
}

// What has been written shows through the other mapping, too, and would count twice in what is
// resident. Jumps that are linked later bring single pages back, until the next piece is full.
void CodeBuffer::take(std::size_t size) {
  const std::size_t before = whole_pieces(used_);
  used_ += size;
  most_used_ = std::max(most_used_, used_);
  const std::size_t behind = whole_pieces(used_), full = used_ / kPiece * kPiece;
  if (behind > before) {
    ::madvise(writable_, full, MADV_DONTNEED);
    if (most_used_ > behind) ::madvise(writable_ + behind, most_used_ - behind, MADV_DONTNEED);
  }
  count(whole_pieces(most_used_));
}

void CodeBuffer::count(std::size_t pieces) {
  memory_->add(static_cast<i64>(pieces) - static_cast<i64>(size()));
  counted_.store(pieces, std::memory_order_relaxed);
}

void CodeBuffer::drop(std::size_t kept) {
  use(kept, capacity_);
  most_used_ = kept;
  const std::size_t pieces = whole_pieces(kept);
  if (size() > pieces)
    static_cast<void>(::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<off_t>(pieces), static_cast<off_t>(size() - pieces)));
  count(pieces);
}

}  // namespace rhea::jit
