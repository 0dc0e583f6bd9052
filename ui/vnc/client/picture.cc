// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/client/picture.h"

#include "ui/vnc/messages.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace rhea::ui::vnc {

Result<Picture> Picture::map(const FileDescriptor& memory, int width, int height) {
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide)
    return fail("a picture of {} by {}", width, height);
  Picture picture;
  picture.bytes_ = sizeof(u32) * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  struct stat state{};
  if (::fstat(memory.get(), &state) != 0 || std::cmp_less(state.st_size, picture.bytes_))
    return fail("the picture's memory is too small");
  void* const pixels = ::mmap(nullptr, picture.bytes_, PROT_READ, MAP_SHARED, memory.get(), 0);
  if (pixels == MAP_FAILED) return fail("the picture cannot be mapped: {}", errno_text(errno));
  picture.pixels_ = static_cast<char*>(pixels);
  picture.width_ = width;
  picture.height_ = height;
  return picture;
}

Picture& Picture::operator=(Picture&& other) noexcept {
  std::swap(pixels_, other.pixels_);
  std::swap(bytes_, other.bytes_);
  std::swap(width_, other.width_);
  std::swap(height_, other.height_);
  return *this;
}

Picture::~Picture() {
  if (pixels_ != nullptr) ::munmap(pixels_, bytes_);
}

}  // namespace rhea::ui::vnc
