// SPDX-License-Identifier: GPL-2.0-or-later
// ide-cd: INQUIRY and the mode pages (SPC-2, 7.3 and 8.4; MMC-3, 5.4 and 6.16).
#include "hw/ide/atapi.h"

#include <algorithm>

namespace rhea::hw {
namespace {

void put_text(std::vector<u8>& data, std::size_t at, std::size_t length, std::string_view text) {
  for (std::size_t i = 0; i < length; ++i)
    data[at + i] = static_cast<u8>(i < text.size() ? text[i] : ' ');
}

void append_text(std::vector<u8>& data, std::string_view text) {
  data.insert(data.end(), text.begin(), text.end());
}

constexpr u8 kAllPages = 0x3f;

}  // namespace

void AtapiCdrom::inquiry() {
  const u32 allocated = field16(3);
  const bool vital = (packet_[1] & 1) != 0;
  if (!vital) {
    if (packet_[2] != 0) return fail_packet(sense::kBadField);
    std::vector<u8> data(36);
    data[0] = 0x05;  // CD or DVD
    data[1] = 0x80;  // removable
    data[3] = 0x21;  // ATAPI
    data[4] = 31;
    put_text(data, 8, 8, "QEMU");
    put_text(data, 16, 16, "QEMU DVD-ROM");
    put_text(data, 32, 4, shown_version());
    return reply(std::move(data), allocated);
  }
  std::vector<u8> data = {0x05, packet_[2], 0, 0};
  switch (packet_[2]) {
    case 0x00: data.insert(data.end(), {0x00, 0x80, 0x83}); break;
    case 0x80: append_text(data, shown_serial()); break;
    case 0x83: {
      const std::string name = model_ + ' ' + shown_serial();
      data.insert(data.end(),
                  {0x02, 0x00, 0x00, static_cast<u8>(name.size())});  // ASCII, vendor's own
      append_text(data, name);
      break;
    }
    default: return fail_packet(sense::kBadField);
  }
  data[3] = static_cast<u8>(data.size() - 4);
  reply(std::move(data), allocated);
}

void AtapiCdrom::mode_sense() {
  const u8 wanted = packet_[2] & 0x3f;
  const u8 control = packet_[2] >> 6;
  if (control == 3) return fail_packet(sense::kNoSaving);
  std::vector<u8> data(8);
  data[2] = tray_open_ ? 0x71 : has_medium() ? 0x01 : 0x70;
  // Changeable values (1) are masks, all zero but for what MODE SELECT takes.
  for (const Page& page : cd_pages(locked_, false)) {
    if (wanted != page.code && wanted != kAllPages) continue;
    data.push_back(page.code);
    data.push_back(static_cast<u8>(page.body.size()));
    for (const u8 byte : page.body)
      data.push_back(control != 1 ? byte : page.changeable ? 0xff : 0);
  }
  if (data.size() == 8) return fail_packet(sense::kBadField);
  data[0] = static_cast<u8>((data.size() - 2) >> 8);
  data[1] = static_cast<u8>(data.size() - 2);
  reply(std::move(data), field16(7));
}

void AtapiCdrom::mode_select() {
  const u32 length = field16(7);
  if ((packet_[1] & 0x11) != 0x10) return fail_packet(sense::kBadField);  // page format, not saved
  if (length == 0) return succeed();
  op_ = AtapiOp::DataOut;
  if (packet_dma_) return dma_out(length);
  pio_out(length, block_limit(length), true);
}

// What the host sent: a header of eight bytes, block descriptors, pages.
void AtapiCdrom::mode_parameters() {
  const auto list = buffer();
  if (list.size() < 8) return fail_packet(sense::kListLength);
  std::size_t at = 8 + (static_cast<std::size_t>(list[6]) << 8 | list[7]);
  while (at < list.size()) {
    if (list.size() - at < 2) return fail_packet(sense::kListLength);
    const u8 code = list[at] & 0x3f;
    const auto body = list.subspan(at + 2);
    const std::size_t length = list[at + 1];
    if (body.size() < length) return fail_packet(sense::kListLength);
    if (!set_cd_page(code, body.first(length))) return fail_packet(sense::kBadParameter);
    at += 2 + length;
  }
  succeed();
}

}  // namespace rhea::hw
