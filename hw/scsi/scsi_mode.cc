// SPDX-License-Identifier: GPL-2.0-or-later
// MODE SENSE and MODE SELECT, with six and with ten bytes (SPC-4, 6.11 to 6.14, 7.5).
#include "hw/scsi/big_endian.h"
#include "hw/scsi/scsi_commands.h"
#include "hw/scsi/scsi_disk.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kAllPages = 0x3f, kSubpageBit = 0x40, kAllSubpages = 0xff;
constexpr u8 kNoBlockDescriptors = 0x08;
constexpr std::size_t kShortHeader = 4, kLongHeader = 8, kDescriptorBytes = 8;
constexpr u64 kMostOfDescriptor = 0xff'ffff;
constexpr u64 kMostParameters = 4096;

bool is_longer(const ScsiTask& task) {
  return task.opcode() == scsi::kModeSense10 || task.opcode() == scsi::kModeSelect10;
}

}  // namespace

// ---- MODE SENSE

void ScsiDisk::mode_sense(const Task& task) {
  const bool longer = is_longer(*task);
  const u8 wanted = task->cdb[2] & 0x3f;
  const auto values = static_cast<Values>(task->cdb[2] >> 6);
  const u8 subpage = task->cdb[3];
  if (subpage != 0 && subpage != kAllSubpages) return task->refuse(sense::kBadField);
  if (values == Values::Saved) return task->refuse(sense::kNoSaving);
  std::vector<u8> data = mode_block(*task, longer);
  if (!append_pages(data, wanted, values)) return task->refuse(sense::kBadField);
  if (longer)
    put_be(data, 0, data.size() - 2, 2);
  else
    data[0] = static_cast<u8>(std::min<std::size_t>(data.size() - 1, 0xff));
  task->reply(data, longer ? task->field(7, 2) : task->cdb[4]);
}

/// What precedes the pages.
std::vector<u8> ScsiDisk::mode_block(const ScsiTask& task, bool longer) const {
  std::vector<u8> data(longer ? kLongHeader : kShortHeader);
  data[longer ? 2 : 1] = medium_type();
  data[longer ? 3 : 2] = device_specific();
  if ((task.cdb[1] & kNoBlockDescriptors) != 0 || !has_block_descriptor()) return data;
  data[longer ? 7 : 3] = kDescriptorBytes;
  const std::size_t at = data.size();
  data.resize(at + kDescriptorBytes);
  put_be(data, at + 1, std::min(blocks(), kMostOfDescriptor), 3);
  put_be(data, at + 5, block_bytes_, 3);
  return data;
}

/// False where there are none of that code.
bool ScsiDisk::append_pages(std::vector<u8>& data, u8 wanted, Values values) const {
  bool found = wanted == kAllPages;
  for (const ModePage& page : mode_pages(values == Values::Default)) {
    if (wanted != kAllPages && wanted != page.code) continue;
    found = true;
    data.push_back(page.code);
    data.push_back(static_cast<u8>(page.body.size()));
    std::ranges::copy(values == Values::Changeable ? page.changeable : page.body,
                      std::back_inserter(data));
  }
  return found;
}

// ---- MODE SELECT

void ScsiDisk::mode_select(const Task& task) {
  constexpr u8 kPageFormat = 0x10, kSave = 0x01;
  const bool longer = is_longer(*task);
  const u64 bytes = longer ? task->field(7, 2) : task->cdb[4];
  if ((task->cdb[1] & (kPageFormat | kSave)) != kPageFormat) return task->refuse(sense::kBadField);
  if (bytes > kMostParameters) return task->refuse(sense::kListLength);
  std::vector<u8> list(bytes);
  if (!task->fetch_parameters(list)) return;
  if (list.empty()) return task->succeed();
  if (const auto wrong = apply_modes(list, longer)) return task->refuse(*wrong);
  task->succeed(bytes);
}

/// All of it, or nothing and why.
std::optional<ScsiSense> ScsiDisk::apply_modes(std::span<const u8> list, bool longer) {
  const std::size_t header = longer ? kLongHeader : kShortHeader;
  if (list.size() < header) return sense::kListLength;
  const std::size_t descriptors = longer ? get_be(list, 6, 2) : list[3];
  if (list.size() - header < descriptors) return sense::kListLength;
  if (descriptors != 0 && descriptors != kDescriptorBytes) return sense::kBadParameter;
  // The size of blocks stays as it is.
  if (descriptors != 0 && get_be(list, header + 5, 3) != block_bytes_) return sense::kBadParameter;
  std::vector<ModePage> changed;
  for (auto rest = list.subspan(header + descriptors); !rest.empty();) {
    if (rest.size() < 2 || rest.size() - 2 < rest[1]) return sense::kListLength;
    if ((rest[0] & kSubpageBit) != 0) return sense::kBadParameter;
    const std::size_t length = rest[1];
    if (const auto wrong = apply_page(rest[0] & 0x3f, rest.subspan(2, length), changed))
      return wrong;
    rest = rest.subspan(2 + length);
  }
  for (const ModePage& page : changed) set_mode_page(page);
  return std::nullopt;
}

std::optional<ScsiSense> ScsiDisk::apply_page(u8 code, std::span<const u8> body,
                                              std::vector<ModePage>& changed) const {
  for (ModePage& page : mode_pages(false)) {
    if (page.code != code) continue;
    if (page.body.size() != body.size()) return sense::kBadParameter;
    for (std::size_t n = 0; n < body.size(); ++n) {
      if (((page.body[n] ^ body[n]) & ~page.changeable[n]) != 0) return sense::kBadParameter;
      page.body[n] = body[n];
    }
    changed.push_back(std::move(page));
    return std::nullopt;
  }
  return sense::kBadParameter;
}

}  // namespace rhea::hw
