// SPDX-License-Identifier: GPL-2.0-or-later
// scsi-hd: commands on blocks (SBC-3, 5).
#include "hw/scsi/big_endian.h"
#include "hw/scsi/scsi_commands.h"
#include "hw/scsi/scsi_hd.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <array>
#include <bit>

namespace rhea::hw {
namespace {

constexpr u8 kProtection = 0xe0;  // RDPROTECT, WRPROTECT, VRPROTECT
constexpr u8 kForceAccess = 0x08;

u8 length_group(u8 opcode) { return opcode >> 5; }

}  // namespace

struct ScsiHd::Command {
  u8 opcode;
  void (ScsiHd::*run)(const Task&);
  bool needs_medium{false};
  bool changes_medium{false};
};

const ScsiHd::Command* ScsiHd::find_command(u8 opcode) {
  using namespace scsi;
  using Self = ScsiHd;
  static constexpr std::array kCommands = {
      Command{kTestUnitReady, &Self::test_unit_ready},
      Command{kRequestSense, &Self::request_sense},
      Command{kFormatUnit, &Self::format, true, true},
      Command{kRead6, &Self::read, true},
      Command{kWrite6, &Self::write, true, true},
      Command{kInquiry, &Self::inquiry},
      Command{kModeSelect6, &Self::mode_select},
      Command{kReserve6, &Self::reserve},
      Command{kRelease6, &Self::reserve},
      Command{kModeSense6, &Self::mode_sense},
      Command{kStartStop, &Self::start_stop},
      Command{kSendDiagnostic, &Self::send_diagnostic},
      Command{kPreventAllow, &Self::prevent_allow},
      Command{kReadCapacity10, &Self::read_capacity, true},
      Command{kRead10, &Self::read, true},
      Command{kWrite10, &Self::write, true, true},
      Command{kSeek10, &Self::seek, true},
      Command{kWriteVerify10, &Self::write, true, true},
      Command{kVerify10, &Self::verify, true},
      Command{kSynchronize10, &Self::synchronize, true},
      Command{kWriteSame10, &Self::write_same, true, true},
      Command{kUnmap, &Self::unmap, true, true},
      Command{kModeSelect10, &Self::mode_select},
      Command{kReserve10, &Self::reserve},
      Command{kRelease10, &Self::reserve},
      Command{kModeSense10, &Self::mode_sense},
      Command{kRead16, &Self::read, true},
      Command{kWrite16, &Self::write, true, true},
      Command{kWriteVerify16, &Self::write, true, true},
      Command{kVerify16, &Self::verify, true},
      Command{kSynchronize16, &Self::synchronize, true},
      Command{kWriteSame16, &Self::write_same, true, true},
      Command{kServiceActionIn16, &Self::service_action_in, true},
      Command{kRead12, &Self::read, true},
      Command{kWrite12, &Self::write, true, true},
      Command{kWriteVerify12, &Self::write, true, true},
      Command{kVerify12, &Self::verify, true},
  };
  const auto* found = std::ranges::find(kCommands, opcode, &Command::opcode);
  return found == kCommands.end() ? nullptr : found;
}

void ScsiHd::execute(const Task& task) {
  const Command* const command = find_command(task->opcode());
  if (command == nullptr) {
    log_guest(kName, "command {:#04x} is not known", task->opcode());
    return task->refuse(sense::kBadOpcode);
  }
  const ScsiSense missing = command->needs_medium ? not_ready() : sense::kNone;
  if (missing != sense::kNone) return task->refuse(missing);
  if (command->changes_medium && drive_->read_only()) return task->refuse(sense::kWriteProtected);
  (this->*command->run)(task);
}

// ---- Extents

ScsiHd::Extent ScsiHd::extent_of(const ScsiTask& task) {
  constexpr u64 kAddressOf6 = 0x1f'ffff, kCountOf6 = 256;
  switch (length_group(task.opcode())) {
    case 0: {
      const u64 count = task.cdb[4] != 0 ? task.cdb[4] : kCountOf6;
      return {.first = task.field(1, 3) & kAddressOf6, .count = count};
    }
    case 4: return {.first = task.field(2, 8), .count = task.field(10, 4)};
    case 5: return {.first = task.field(2, 4), .count = task.field(6, 4)};
    default: return {.first = task.field(2, 4), .count = task.field(7, 2)};
  }
}

bool ScsiHd::on_disk(const Extent& extent) const {
  const u64 there = blocks();
  return extent.first <= there && extent.count <= there - extent.first;
}

DiskWork ScsiHd::work_on(DiskWork::Kind kind, const Extent& extent) const {
  return {
      .kind = kind, .offset = extent.first * block_bytes_, .length = extent.count * block_bytes_};
}

// ---- Data

void ScsiHd::read(const Task& task) {
  const Extent extent = extent_of(*task);
  const bool plain = length_group(task->opcode()) == 0 || (task->cdb[1] & kProtection) == 0;
  if (!plain || extent.count > most_io_bytes_ / block_bytes_) return task->refuse(sense::kBadField);
  if (!on_disk(extent)) return task->refuse(sense::kOutOfRange);
  DiskWork work = work_on(DiskWork::Kind::Read, extent);
  if (work.length > task->in_bytes) return task->overrun();
  if (work.length == 0) return task->succeed();
  begin(task, std::move(work));
}

/// WRITE, and WRITE AND VERIFY.
void ScsiHd::write(const Task& task) {
  constexpr u8 kCompares = 0x02;  // BYTCHK
  const u8 opcode = task->opcode();
  const bool shortest = length_group(opcode) == 0;
  const bool verifies = opcode == scsi::kWriteVerify10 || opcode == scsi::kWriteVerify12 ||
                        opcode == scsi::kWriteVerify16;
  const u8 flags = shortest ? u8{0} : task->cdb[1];
  const Extent extent = extent_of(*task);
  if ((flags & kProtection) != 0 || extent.count > most_io_bytes_ / block_bytes_)
    return task->refuse(sense::kBadField);
  if (!on_disk(extent)) return task->refuse(sense::kOutOfRange);
  DiskWork work = work_on(DiskWork::Kind::Write, extent);
  if (work.length > task->out_bytes) return task->overrun();
  if (work.length == 0) return task->succeed();
  work.reaches_disk = !write_cache_ || (!verifies && (flags & kForceAccess) != 0);
  if (verifies)
    work.afterwards = (flags & kCompares) != 0 ? DiskWork::Kind::Compare : DiskWork::Kind::Check;
  begin(task, std::move(work));
}

void ScsiHd::verify(const Task& task) {
  enum class Against : u8 { Nothing, Data, Reserved, OneBlock };
  const auto against = static_cast<Against>(task->cdb[1] >> 1 & 3);
  const Extent extent = extent_of(*task);
  if ((task->cdb[1] & kProtection) != 0 || against == Against::Reserved)
    return task->refuse(sense::kBadField);
  if (!on_disk(extent)) return task->refuse(sense::kOutOfRange);
  if (extent.count == 0) return task->succeed();
  DiskWork work = work_on(
      against == Against::Nothing ? DiskWork::Kind::Check : DiskWork::Kind::Compare, extent);
  if (against == Against::Data && work.length > task->out_bytes) return task->overrun();
  if (against == Against::OneBlock) {
    work.pattern.resize(block_bytes_);
    if (!task->fetch_parameters(work.pattern)) return;
    work.fetched = block_bytes_;
  }
  begin(task, std::move(work));
}

void ScsiHd::write_same(const Task& task) {
  constexpr u8 kAnchor = 0x10, kUnmapBit = 0x08, kObsolete = 0x06, kNoData = 0x01;
  const u8 flags = task->cdb[1];
  const bool no_data = task->opcode() == scsi::kWriteSame16 && (flags & kNoData) != 0;
  const Extent extent = extent_of(*task);
  if ((flags & (kProtection | kAnchor | kObsolete)) != 0 || extent.count == 0 ||
      extent.count > most_io_bytes_ / block_bytes_)
    return task->refuse(sense::kBadField);
  if ((flags & kUnmapBit) != 0 && !thin()) return task->refuse(sense::kBadField);
  if (!on_disk(extent)) return task->refuse(sense::kOutOfRange);
  std::vector<u8> block(block_bytes_);
  if (!no_data && !task->fetch_parameters(block)) return;
  DiskWork work = work_on(DiskWork::Kind::Zeroes, extent);
  work.fetched = no_data ? 0 : block_bytes_;
  work.reaches_disk = !write_cache_;
  if (std::ranges::all_of(block, [](u8 byte) { return byte == 0; })) {
    work.may_unmap = (flags & kUnmapBit) != 0;
  } else {
    work.kind = DiskWork::Kind::Fill;
    work.pattern = std::move(block);
  }
  begin(task, std::move(work));
}

// ---- What needs no data of the disk's

void ScsiHd::unmap(const Task& task) {
  constexpr u8 kAnchor = 0x01;
  if (!thin() || most_unmap_bytes_ == 0) return task->refuse(sense::kBadOpcode);
  if ((task->cdb[1] & kAnchor) != 0) return task->refuse(sense::kBadField);
  std::vector<u8> list(task->field(7, 2));
  if (list.empty()) return task->succeed();
  if (!task->fetch_parameters(list)) return;
  DiskWork work{.kind = DiskWork::Kind::Discard, .reaches_disk = false, .fetched = list.size()};
  if (const auto wrong = take_ranges(list, work)) return task->refuse(*wrong);
  if (work.ranges.empty()) return task->succeed(list.size());
  begin(task, std::move(work));
}

/// The parameters of UNMAP (5.27.2). No more than the limits page allows.
std::optional<ScsiSense> ScsiHd::take_ranges(std::span<const u8> list, DiskWork& work) const {
  constexpr std::size_t kHeader = 8, kRangeBytes = 16, kMostRanges = 255;
  if (list.size() < kHeader) return sense::kListLength;
  const u64 said = get_be(list, 2, 2);
  const std::size_t ranges = std::min<u64>(said, list.size() - kHeader) / kRangeBytes;
  if (ranges > kMostRanges) return sense::kBadParameter;
  u64 all = 0;
  for (std::size_t n = 0; n < ranges; ++n) {
    const auto range = list.subspan(kHeader + kRangeBytes * n, kRangeBytes);
    const Extent extent{.first = get_be(range, 0, 8), .count = get_be(range, 8, 4)};
    if (!on_disk(extent)) return sense::kOutOfRange;
    all += extent.count;
    if (extent.count != 0)
      work.ranges.push_back({extent.first * block_bytes_, extent.count * block_bytes_});
  }
  if (all > most_unmap_bytes_ / block_bytes_) return sense::kBadParameter;
  return std::nullopt;
}

/// All of the cache, whatever the range.
void ScsiHd::synchronize(const Task& task) {
  if (!on_disk(extent_of(*task))) return task->refuse(sense::kOutOfRange);
  begin(task, {.kind = DiskWork::Kind::Flush});
}

void ScsiHd::seek(const Task& task) {
  if (task->field(2, 4) >= blocks()) return task->refuse(sense::kOutOfRange);
  task->succeed();
}

/// It has been formatted at the works, and stays so.
void ScsiHd::format(const Task& task) {
  constexpr u8 kHasParameters = 0x10, kProtectionInformation = 0xc0;
  if ((task->cdb[1] & (kHasParameters | kProtectionInformation)) != 0)
    return task->refuse(sense::kBadField);
  task->succeed();
}

/// READ CAPACITY (16) alone.
void ScsiHd::service_action_in(const Task& task) {
  constexpr u8 kReadCapacity = 0x10, kThin = 0x80;
  constexpr u64 kBytes = 32;
  if ((task->cdb[1] & 0x1f) != kReadCapacity) return task->refuse(sense::kBadField);
  std::array<u8, kBytes> data{};
  put_be(data, 0, blocks() - 1, 8);
  put_be(data, 8, block_bytes_, 4);
  data[13] = static_cast<u8>(std::countr_zero(physical_bytes_ / block_bytes_) & 0x0f);
  if (thin()) data[14] = kThin;
  task->reply(data, task->field(10, 4));
}

}  // namespace rhea::hw
