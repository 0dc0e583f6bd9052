// SPDX-License-Identifier: GPL-2.0-or-later
// A copy of a console's picture in memory that other processes may map: what they read while it is
// written may be half old, and is told to have changed behind it.
#pragma once

#include "rhea/ui/console.h"
#include "rhea/util/file_descriptor.h"

namespace rhea::ui::vnc {

class SharedPicture {
 public:
  SharedPicture() = default;
  SharedPicture(const SharedPicture&) = delete;
  SharedPicture& operator=(const SharedPicture&) = delete;
  ~SharedPicture();

  /// New memory of this size, black.
  Result<> make(int width, int height);
  void copy(pixman_image_t* surface, const Rect& rect);
  int fd() const { return memory_.get(); }
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  FileDescriptor memory_;
  u32* pixels_{};
  int width_{}, height_{};
};

}  // namespace rhea::ui::vnc
