// SPDX-License-Identifier: GPL-2.0-or-later
// The formats of dumps.
#pragma once

#include "monitor/dump/guest_image.h"
#include "monitor/dump/sink.h"

#include <functional>

namespace rhea::dump {

/// Told of each stretch of guest memory that is done, in bytes.
using Progress = std::function<void(u64 bytes)>;

/// An ELF core file, a program header for each mapping.
Result<> write_elf(const GuestImage& image, Sink& sink, const Progress& progress);

/// kdump's compressed format as makedumpfile writes it to pipes ("flattened"), pages by zlib. What
/// is not a whole page in the guest's memory is left out.
Result<> write_kdump(const GuestImage& image, Sink& sink, const Progress& progress);

}  // namespace rhea::dump
