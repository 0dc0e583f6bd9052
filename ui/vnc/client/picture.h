// SPDX-License-Identifier: GPL-2.0-or-later
// The guest's screen, as Rhea shares it: memory that changes while it is read.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"

#include <cstddef>

namespace rhea::ui::vnc {

class Picture {
 public:
  Picture() = default;
  /// Maps `memory`, which holds at least width * height pixels.
  static Result<Picture> map(const FileDescriptor& memory, int width, int height);
  Picture(Picture&& other) noexcept { *this = std::move(other); }
  Picture& operator=(Picture&& other) noexcept;
  ~Picture();

  char* pixels() const { return pixels_; }
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  char* pixels_{};
  std::size_t bytes_{};
  int width_{}, height_{};
};

}  // namespace rhea::ui::vnc
