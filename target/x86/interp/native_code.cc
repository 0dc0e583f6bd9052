// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for host code: written through one mapping, executed through another.
#include "target/x86/interp/native_code.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace rhea::x86::interp {
namespace {

u8* map(int file, size_t size, int protection) {
  void* at = mmap(nullptr, size, protection, MAP_SHARED, file, 0);
  return at == MAP_FAILED ? nullptr : static_cast<u8*>(at);
}

}  // namespace

NativeCode::NativeCode(size_t capacity) : capacity_(capacity) {
  const int file = memfd_create("rhea-native-code", MFD_CLOEXEC);
  if (file < 0) return;
  if (ftruncate(file, static_cast<off_t>(capacity)) == 0) {
    writable_ = map(file, capacity, PROT_READ | PROT_WRITE);
    executable_ = map(file, capacity, PROT_READ | PROT_EXEC);
  }
  close(file);
}

NativeCode::~NativeCode() {
  if (writable_ != nullptr) munmap(writable_, capacity_);
  if (executable_ != nullptr) munmap(executable_, capacity_);
}

const void* NativeCode::add(std::span<const u8> code) {
  constexpr size_t kAlign = 16;
  const size_t size = (code.size() + kAlign - 1) / kAlign * kAlign;
  if (writable_ == nullptr || executable_ == nullptr || capacity_ - used_ < size) return nullptr;
  std::memcpy(writable_ + used_, code.data(), code.size());
  const void* at = executable_ + used_;
  used_ += size;
  return at;
}

}  // namespace rhea::x86::interp
