// SPDX-License-Identifier: GPL-2.0-or-later
// scsi-cd: a CD-ROM and DVD-ROM drive on a SCSI bus.
#include "hw/scsi/cd_reader.h"
#include "hw/scsi/scsi_commands.h"
#include "hw/scsi/scsi_disk.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

/// Spec: SPC-4, MMC-3: what ide-cd has of them, by six and by ten bytes. It may be empty, and its
/// medium changes. State: complete. Missing: audio, copy protection (REPORT KEY), descriptor sense
/// data, saved mode pages; of QEMU's: share-rw, account-…, backend_defaults, the quirks, blocks of
/// another size than 2048 bytes.
class ScsiCd final : public ScsiDisk, public CdReader {
 public:
  static constexpr std::string_view kName = "scsi-cd";
  static void describe(Schema<ScsiCd>& s);
  ScsiCd();

  void reset(ResetKind kind) override;
  void eject_requested(bool force) override;
  void medium_changed(bool loaded) override;

 protected:
  Result<> check_kind() override;
  void execute(const Task& task) override;
  std::vector<ModePage> mode_pages(bool as_reset) const override;
  void set_mode_page(const ModePage& page) override { set_cd_page(page.code, page.body); }
  bool has_block_descriptor() const override { return false; }

 private:
  struct Own;
  static const Own* find_own(u8 opcode);
  Now now() const;
  void deliver(const Task& task, CdAnswer answer);
  void read_blocks(const Task& task, const CdAnswer& answer);
};

struct ScsiCd::Own {
  u8 opcode;
  void (ScsiCd::*run)(const Task&);
};

const ScsiCd::Own* ScsiCd::find_own(u8 opcode) {
  using namespace scsi;
  using Self = ScsiCd;
  static constexpr std::array kCommands = {
      Own{kTestUnitReady, &Self::test_unit_ready},
      Own{kRequestSense, &Self::request_sense},
      Own{kInquiry, &Self::inquiry},
      Own{kModeSelect6, &Self::mode_select},
      Own{kModeSense6, &Self::mode_sense},
      Own{kStartStop, &Self::start_stop},
      Own{kPreventAllow, &Self::prevent_allow},
      Own{kModeSelect10, &Self::mode_select},
      Own{kModeSense10, &Self::mode_sense},
  };
  const auto* found = std::ranges::find(kCommands, opcode, &Own::opcode);
  return found == kCommands.end() ? nullptr : found;
}

void ScsiCd::describe(Schema<ScsiCd>& s) {
  s.help("virtual SCSI CD-ROM");
  s.state("event", &ScsiCd::event_);
  s.state("error-page", &ScsiCd::error_page_);
  s.state("audio-page", &ScsiCd::audio_page_);
}

ScsiCd::ScsiCd()
    : ScsiDisk({.type = 0x05,
                .product = "QEMU CD-ROM",
                .block_bytes = kCdBlockSize,
                .removable = true}) {}

Result<> ScsiCd::check_kind() {
  if (block_bytes_ == kCdBlockSize) return {};
  return fail("Property 'logical_block_size': {}, and a CD has blocks of {} bytes", block_bytes_,
              kCdBlockSize);
}

void ScsiCd::reset(ResetKind kind) {
  reset_reader();
  ScsiDisk::reset(kind);
}

// ---- The medium

CdReader::Now ScsiCd::now() const {
  const u64 most = std::min<u64>(blocks(), 0xfffffffe);
  return {.medium = {.present = has_medium(), .blocks = static_cast<u32>(most)},
          .tray_open = tray_open_,
          .on = CdInterface::Scsi};
}

// The guest hears of it when it polls for events.
void ScsiCd::eject_requested(bool force) {
  event_ = MediaEvent::EjectRequest;
  ScsiDisk::eject_requested(force);
}

void ScsiCd::medium_changed(bool loaded) {
  ScsiDisk::medium_changed(loaded);
  event_ = has_medium() ? MediaEvent::NewMedia : MediaEvent::Removal;
}

// ---- Commands

void ScsiCd::execute(const Task& task) {
  if (const Own* own = find_own(task->opcode())) return (this->*own->run)(task);
  const Command* const command = find_cd_command(task->opcode());
  if (command == nullptr) {
    log_guest(kName, "command {:#04x} is not known", task->opcode());
    return task->refuse(sense::kBadOpcode);
  }
  const ScsiSense missing = command->needs_medium ? not_ready() : sense::kNone;
  if (missing != sense::kNone) return task->refuse(missing);
  deliver(task, run(*command, task->cdb, now()));
}

void ScsiCd::deliver(const Task& task, CdAnswer answer) {
  switch (answer.kind) {
    case CdAnswer::Kind::Good: return task->succeed();
    case CdAnswer::Kind::Data: return task->reply(answer.data, answer.allocated);
    case CdAnswer::Kind::Read: return read_blocks(task, answer);
    case CdAnswer::Kind::Refused: return task->refuse(answer.sense);
  }
}

void ScsiCd::read_blocks(const Task& task, const CdAnswer& answer) {
  const SectorParts parts = answer.parts;
  if (u64{answer.count} * parts.size() > task->in_bytes) return task->overrun();
  DiskWork work{.kind = DiskWork::Kind::Read,
                .offset = u64{answer.lba} * kCdBlockSize,
                .length = u64{answer.count} * kCdBlockSize};
  if (parts.size() != kCdBlockSize || !parts.data)
    work.shown = [parts, first = answer.lba](std::span<const u8> data, u64 at) {
      return cut_sectors(data, first + static_cast<u32>(at / kCdBlockSize), parts);
    };
  begin(task, std::move(work));
}

// ---- Mode pages

std::vector<ScsiDisk::ModePage> ScsiCd::mode_pages(bool as_reset) const {
  std::vector<ModePage> pages;
  for (Page& page : cd_pages(locked_, as_reset)) {
    const std::size_t size = page.body.size();
    const u8 bits = page.changeable ? 0xff : 0;
    pages.push_back({page.code, std::move(page.body), std::vector<u8>(size, bits)});
  }
  return pages;
}

const RegisterType<ScsiCd> registration;

}  // namespace
}  // namespace rhea::hw
