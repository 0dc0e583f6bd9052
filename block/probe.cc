// SPDX-License-Identifier: GPL-2.0-or-later
// The signatures of the known image formats.
#include "block/probe.h"

#include <algorithm>
#include <array>

namespace rhea::block {
namespace {

struct Signature {
  std::string_view format;
  u64 offset;
  std::string_view bytes;
};

using namespace std::string_view_literals;

constexpr std::array kSignatures = {
    Signature{"qcow2", 0, "QFI\xfb\0\0\0\2"sv},
    Signature{"qcow2", 0, "QFI\xfb\0\0\0\3"sv},
    Signature{"qcow", 0, "QFI\xfb\0\0\0\1"sv},
    Signature{"qed", 0, "QED\0"sv},
    Signature{"vmdk", 0, "KDMV"sv},
    Signature{"vmdk", 0, "COWD"sv},
    Signature{"vmdk", 0, "# Disk DescriptorFile"sv},
    Signature{"vdi", 0x40, "\x7f\x10\xda\xbe"sv},
    Signature{"vhdx", 0, "vhdxfile"sv},
    Signature{"vpc", 0, "conectix"sv},
    Signature{"parallels", 0, "WithoutFreeSpace"sv},
    Signature{"parallels", 0, "WithouFreSpacExt"sv},
    Signature{"luks", 0, "LUKS\xba\xbe"sv},
};

bool matches(std::span<const u8> head, const Signature& signature) {
  if (head.size() < signature.offset + signature.bytes.size()) return false;
  return std::ranges::equal(head.subspan(signature.offset, signature.bytes.size()), signature.bytes,
                            {}, {}, [](char c) { return static_cast<u8>(c); });
}

}  // namespace

std::string_view probe_format(std::span<const u8> head) {
  const auto found = std::ranges::find_if(
      kSignatures, [&](const Signature& signature) { return matches(head, signature); });
  return found == kSignatures.end() ? "raw"sv : found->format;
}

}  // namespace rhea::block
