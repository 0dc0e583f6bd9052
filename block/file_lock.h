// SPDX-License-Identifier: GPL-2.0-or-later
// Locks on image files that keep two programs from writing one image; QEMU's are honoured and seen
// by QEMU.
#pragma once

#include "rhea/util/error.h"

namespace rhea::block {

enum class ImageUse : unsigned char {
  ReadOnly,  ///< nobody else may write
  Write,     ///< nobody else may write, and readers who mind writers must go
};

/// Takes the locks for `use` on `fd`; they go with the last descriptor of the open file. A file
/// system without locks is accepted. Errors read: Failed to get "write" lock.
Result<> lock_image(int fd, ImageUse use);
/// Gives all of them back.
void unlock_image(int fd);

}  // namespace rhea::block
