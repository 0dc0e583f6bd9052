// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for translated code.
#include "accel/jit/code_buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rhea::jit {
namespace {

u8* map(int file, std::size_t size, int protection) {
  void* at = ::mmap(nullptr, size, protection, MAP_SHARED | MAP_NORESERVE, file, 0);
  return at == MAP_FAILED ? nullptr : static_cast<u8*>(at);
}

}  // namespace

CodeBuffer::CodeBuffer(std::size_t capacity, CodeMemory& memory)
    : capacity_(capacity), memory_(&memory) {
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
  used_ += size;
  const std::size_t pieces = (used_ + kPiece - 1) / kPiece * kPiece;
  if (pieces > this->size()) ::madvise(writable_, used_ / kPiece * kPiece, MADV_DONTNEED);
  memory_->add(static_cast<i64>(pieces) - static_cast<i64>(this->size()));
  counted_.store(pieces, std::memory_order_relaxed);
}

void CodeBuffer::drop(std::size_t kept) {
  used_ = kept;
  const std::size_t pieces = (kept + kPiece - 1) / kPiece * kPiece;
  if (size() > pieces)
    static_cast<void>(::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<off_t>(pieces), static_cast<off_t>(size() - pieces)));
  take(0);
}

}  // namespace rhea::jit
