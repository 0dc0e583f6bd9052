// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/shared_picture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rhea::ui::vnc {
namespace {

std::size_t bytes_of(int width, int height) {
  return sizeof(u32) * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
}

}  // namespace

SharedPicture::~SharedPicture() {
  if (pixels_ != nullptr) ::munmap(pixels_, bytes_of(width_, height_));
}

Result<> SharedPicture::make(int width, int height) {
  const std::size_t bytes = bytes_of(width, height);
  FileDescriptor memory(::memfd_create("rhea-screen", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return fail("no memory to share the screen: {}", errno_text(errno));
  // Who has it mapped must not die of its end.
  if (::ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail("no memory to share the screen: {}", errno_text(errno));
  void* const pixels = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (pixels == MAP_FAILED) return fail("no memory to share the screen: {}", errno_text(errno));
  if (pixels_ != nullptr) ::munmap(pixels_, bytes_of(width_, height_));
  pixels_ = static_cast<u32*>(pixels);
  memory_ = std::move(memory);
  width_ = width;
  height_ = height;
  return {};
}

void SharedPicture::copy(pixman_image_t* surface, const Rect& rect) {
  const int right = std::min({rect.x + rect.width, width_, pixman_image_get_width(surface)});
  const int bottom = std::min({rect.y + rect.height, height_, pixman_image_get_height(surface)});
  if (rect.x >= right) return;
  const u32* const from = pixman_image_get_data(surface);
  const auto stride = static_cast<std::size_t>(pixman_image_get_stride(surface)) / sizeof(u32);
  for (int y = rect.y; y < bottom; ++y) {
    const auto row = static_cast<std::size_t>(y), column = static_cast<std::size_t>(rect.x);
    std::copy_n(from + row * stride + column, right - rect.x,
                pixels_ + row * static_cast<std::size_t>(width_) + column);
  }
}

}  // namespace rhea::ui::vnc
