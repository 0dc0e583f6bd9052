// SPDX-License-Identifier: GPL-2.0-or-later
// ide-cd: the packet commands (MMC-3 and SPC-2).
#include "block/media.h"
#include "hw/ide/atapi.h"
#include "hw/ide/trace_events.h"
#include "rhea/util/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::hw {

struct AtapiCdrom::PacketCommand {
  u8 opcode;
  void (AtapiCdrom::*run)();
  bool needs_medium{false};
  bool reports_attention{true};  ///< fails once after the medium was changed
};

const AtapiCdrom::PacketCommand* AtapiCdrom::find_packet_command(u8 opcode) {
  using Self = AtapiCdrom;
  static constexpr std::array kCommands = {
      PacketCommand{0x00, &Self::test_unit_ready, true},
      PacketCommand{0x03, &Self::request_sense, false, false},
      PacketCommand{0x12, &Self::inquiry, false, false},
      PacketCommand{0x1b, &Self::start_stop},
      PacketCommand{0x1e, &Self::prevent_allow},
      PacketCommand{0x55, &Self::mode_select},
      PacketCommand{0x5a, &Self::mode_sense},
  };
  const auto* found = std::ranges::find(kCommands, opcode, &PacketCommand::opcode);
  return found == kCommands.end() ? nullptr : found;
}

void AtapiCdrom::execute_packet() {
  if (atapi_packet.enabled())
    atapi_packet(*this, ide_bus().name(), fmt::format("{:02x}", fmt::join(packet_, " ")));
  const PacketCommand* const own = find_packet_command(packet_[0]);
  const Command* const shared = own == nullptr ? find_cd_command(packet_[0]) : nullptr;
  if (own == nullptr && shared == nullptr) {
    log_guest(kName, "packet command {:#04x} is not known", packet_[0]);
    return fail_packet(sense::kBadOpcode);
  }
  if (unit_attention_ && (own != nullptr ? own->reports_attention : shared->reports_attention)) {
    unit_attention_ = false;
    return fail_packet(sense::kMediumChanged);
  }
  const bool needs_medium = own != nullptr ? own->needs_medium : shared->needs_medium;
  if (needs_medium && !has_medium()) return fail_packet(not_ready());
  if (own != nullptr) return (this->*own->run)();
  deliver(run(*shared, packet_,
              {.medium = medium(), .tray_open = tray_open_, .on = CdInterface::Atapi}));
}

void AtapiCdrom::deliver(CdAnswer answer) {
  switch (answer.kind) {
    case CdAnswer::Kind::Good: return succeed();
    case CdAnswer::Kind::Data: return reply(std::move(answer.data), answer.allocated);
    case CdAnswer::Kind::Refused: return fail_packet(answer.sense);
    case CdAnswer::Kind::Read:
      ide_sectors(*this, ide_bus().name(), answer.lba, answer.count);
      op_ = AtapiOp::ReadBlocks;
      lba_ = answer.lba;
      remaining_ = answer.count;
      parts_ = answer.parts;
      return read_blocks();
  }
}

void AtapiCdrom::request_sense() {
  std::vector<u8> data(18);
  if (unit_attention_ && sense_.key == 0) {
    sense_ = sense::kMediumChanged;
    unit_attention_ = false;
  }
  data[0] = 0xf0;  // valid, current error
  data[2] = sense_.key;
  data[7] = 10;
  data[12] = sense_.code;
  data[13] = sense_.qualifier;
  sense_ = sense::kNone;
  reply(std::move(data), packet_[4]);
}

void AtapiCdrom::start_stop() {
  const bool start = (packet_[4] & 1) != 0, tray = (packet_[4] & 2) != 0;
  if ((packet_[4] & 0xf0) != 0 || !tray)
    return succeed();  // power conditions; spinning up and down
  if (!start && locked_ && !tray_open_) return fail_packet(sense::kRemovalPrevented);
  if (start == tray_open_) {
    medium_changed(start);
    block::guest_moved_tray(*drive_, tray_open_);
  }
  succeed();
}

void AtapiCdrom::prevent_allow() {
  locked_ = (packet_[4] & 1) != 0;
  succeed();
}

}  // namespace rhea::hw
