// SPDX-License-Identifier: GPL-2.0-or-later
// What disks say of themselves: INQUIRY and its pages of vital product data (SPC-4, 6.6 and 7.8).
#include "hw/scsi/big_endian.h"
#include "hw/scsi/scsi_disk.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kSupportedPages = 0x00, kSerialPage = 0x80, kIdentificationPage = 0x83;
// Designators (7.8.5): code set and protocol; association and kind.
constexpr u8 kBinary = 0x01, kAscii = 0x02, kBinaryOfSas = 0x61;
constexpr u8 kVendorsOwn = 0x00, kNaa = 0x03, kNaaOfPort = 0x93, kNumberOfPort = 0x94;

void append_text(std::vector<u8>& data, std::string_view text) {
  data.insert(data.end(), text.begin(), text.end());
}

void append_number(std::vector<u8>& data, u8 codes, u8 kind, u64 number, u8 bytes) {
  data.insert(data.end(), {codes, kind, 0, bytes});
  data.resize(data.size() + bytes);
  put_be(data, data.size() - bytes, number, bytes);
}

}  // namespace

void ScsiDisk::inquiry(const Task& task) {
  const u64 allocated = task->field(3, 2);
  const u8 page = task->cdb[2];
  if ((task->cdb[1] & 1) != 0) {
    const auto body = vital_page(page);
    if (!body) return task->refuse(sense::kBadField);
    std::vector<u8> data{kind_.type, page, 0, 0};
    put_be(data, 2, body->size(), 2);
    data.insert(data.end(), body->begin(), body->end());
    return task->reply(data, allocated);
  }
  if (page != 0) return task->refuse(sense::kBadField);
  constexpr u8 kRemovable = 0x80, kNumbersUnits = 0x10, kThisFormat = 2, kQueues = 0x02;
  std::array<u8, 36> data{kind_.type, static_cast<u8>(removable_ ? kRemovable : 0),
                          static_cast<u8>(scsi_version_), kNumbersUnits | kThisFormat,
                          data.size() - 5};
  data[7] = kQueues;
  put_text(data, 8, 8, vendor_);
  put_text(data, 16, 16, product_);
  put_text(data, 32, 4, version_);
  task->reply(data, allocated);
}

std::optional<std::vector<u8>> ScsiDisk::vital_page(u8 page) const {
  std::vector<u8> data;
  switch (page) {
    case kSupportedPages: {
      data = {kSupportedPages};
      if (!serial_.empty()) data.push_back(kSerialPage);
      data.push_back(kIdentificationPage);
      std::ranges::copy(more_vital_pages(), std::back_inserter(data));
      return data;
    }
    case kSerialPage:
      if (serial_.empty()) return std::nullopt;
      append_text(data, serial_);
      return data;
    case kIdentificationPage: return identification_page();
    default: return std::nullopt;
  }
}

std::vector<u8> ScsiDisk::identification_page() const {
  std::vector<u8> data;
  if (!device_id_.empty()) {
    data.insert(data.end(), {kAscii, kVendorsOwn, 0, static_cast<u8>(device_id_.size())});
    append_text(data, device_id_);
  }
  if (wwn_ != 0) append_number(data, kBinary, kNaa, wwn_, 8);
  if (port_wwn_ != 0) append_number(data, kBinaryOfSas, kNaaOfPort, port_wwn_, 8);
  if (port_index_ != 0) append_number(data, kBinaryOfSas, kNumberOfPort, port_index_, 4);
  return data;
}

}  // namespace rhea::hw
