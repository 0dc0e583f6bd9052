// SPDX-License-Identifier: GPL-2.0-or-later
// What a test does to a device, one thing at a time, for messages about what came of it.
#pragma once

#include "rhea/util/types.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace rhea::test {

struct Happening {
  enum class What : u8 {
    Read,
    Write,
    ConfigRead,
    ConfigWrite,
    Memory,  ///< changes under the device's descriptors
    Driver,  ///< of the device, which knows its kind
    Time,
    Peer,  ///< or a disk, a pin, a key does something
    Work,  ///< of the main loop, requests of disks
    Reset,
    Save,
    Load,
    Unplug,
  };
  What what{};
  bool io{};
  unsigned size{};
  u64 address{};
  u64 value{};
};

/// "edu: write of 4 bytes at address 0xe0000008, value 0x5".
/// Takes no memory from a heap that may be broken.
using Text = fmt::memory_buffer;
void append_text(Text& text, const Happening& happening, std::string_view device);
inline std::string text_of(const Happening& happening, std::string_view device) {
  Text text;
  append_text(text, happening, device);
  return fmt::to_string(text);
}

/// What happened, and what was seen of it: what was read, or which lines are high.
struct Observation {
  Happening happening;
  u64 seen{};
  bool operator==(const Observation& other) const { return seen == other.seen; }
};

}  // namespace rhea::test
