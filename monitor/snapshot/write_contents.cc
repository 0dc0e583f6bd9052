// SPDX-License-Identifier: GPL-2.0-or-later
// From a machine to a file.
#include "block/block_service.h"
#include "monitor/snapshot/contents.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/snapshot.h"

#include <algorithm>

namespace rhea::snapshot {
namespace {

constexpr u64 kChunkPages = kChunk / kPageSize;
using block::Overlay;

bool is_zero(const u8* page) {
  return page[0] == 0 && std::equal(page, page + kPageSize - 1, page + 1);
}

std::vector<u8> number(u64 value) {
  StateWriter out;
  out.number(value, 8);
  return out.take();
}

std::vector<u8> name_and_size(std::string_view name, u64 size) {
  StateWriter out;
  out.text(name);
  out.number(size, 8);
  return out.take();
}

// Runs of pages that are not all zero.
Result<> write_block(const RamBlock& block, PieceWriter& out, const Control& control) {
  TRY(out.write(PieceKind::Memory, name_and_size(block.id(), block.size())));
  const u64 pages = block.size() / kPageSize;
  for (u64 page = 0; page < pages;) {
    u64 end = page;
    const u64 limit = std::min(pages, page + kChunkPages);
    while (end < limit && !is_zero(block.host() + end * kPageSize)) ++end;
    if (end > page) {
      TRY(out.write(PieceKind::Pages, number(page),
                    std::span(block.host() + page * kPageSize, (end - page) * kPageSize)));
      page = end;
    } else {
      TRY(control.step(kPageSize));
      ++page;
    }
  }
  return {};
}

Result<> write_disk(const DiskChanges& disk, PieceWriter& out) {
  TRY(out.write(PieceKind::Disk, name_and_size(disk.drive, disk.size)));
  const block::ClusterMap& written = disk.layer.written();
  std::vector<u8> data;
  for (auto cluster = written.next(0); cluster; cluster = written.next(*cluster)) {
    const u64 offset = *cluster * Overlay::kClusterSize;
    if (offset >= disk.size) break;
    u64 length = 0;
    while (length < kChunk && written.test(*cluster)) {
      length += Overlay::kClusterSize;
      ++*cluster;
    }
    data.resize(std::min(length, disk.size - offset));
    TRY(disk.layer.read(offset, data));
    TRY(out.write(PieceKind::Clusters, number(offset), data));
  }
  return {};
}

}  // namespace

u64 Contents::bytes() const {
  u64 sum = 0;
  for (const auto& block : memory) sum += block->size();
  return sum;
}

Result<Contents> take_contents(Machine& machine) {
  TRY(machine.service<SaveChecks>().run());
  auto devices = TRY(save_devices(machine));
  Contents contents{.what = describe(machine),
                    .devices = std::move(devices),
                    .memory = machine.map().ram_blocks(),
                    .disks = {}};
  for (const BlockBackend* drive : drives(machine))
    if (const Overlay* overlay = Overlay::of(drive->medium().get())) {
      auto layer = TRY(overlay->layer().share());
      contents.disks.push_back(
          {.drive = drive->name(), .size = drive->size(), .layer = std::move(layer)});
    }
  return contents;
}

Result<> write_contents(const Contents& contents, OutputFile& file, const Control& control) {
  PieceWriter out(file, control);
  StateWriter description;
  contents.what.save(description);
  TRY(out.write(PieceKind::Start, description.data()));
  TRY(out.write(PieceKind::Devices, contents.devices));
  for (const auto& block : contents.memory) TRY(write_block(*block, out, control));
  for (const DiskChanges& disk : contents.disks) TRY(write_disk(disk, out));
  return out.write(PieceKind::End, {});
}

}  // namespace rhea::snapshot
