// SPDX-License-Identifier: GPL-2.0-or-later
// From a file to a machine.
#include "monitor/snapshot/contents.h"

#include <algorithm>
#include <cstring>

namespace rhea::snapshot {
namespace {

using block::Overlay;

struct Place {
  std::string name;
  u64 size{};
};

Result<Place> read_place(const Piece& piece) {
  StateReader in(piece.payload);
  Place place;
  place.name = TRY(in.text());
  place.size = TRY(in.number(8));
  if (!in.at_end()) return fail("the file is damaged (the name of a piece)");
  return place;
}

/// What the pieces say, one after the other, and whether they may say it there.
class Reading {
 public:
  virtual ~Reading() = default;
  Result<> all(PieceReader& in);

 protected:
  virtual Result<> start(const Piece&) { return {}; }
  virtual Result<> devices(const Piece&) { return {}; }
  virtual Result<> memory(const Place&) { return {}; }
  virtual Result<> pages(u64 /*offset*/, std::span<const u8>) { return {}; }
  virtual Result<> memory_ends() { return {}; }
  virtual Result<> disk(const Place&) { return {}; }
  virtual Result<> clusters(u64 /*offset*/, std::span<const u8>) { return {}; }

 private:
  Result<> one(const Piece& piece);
  Result<> enter(const Piece& piece);
  Result<> bytes(const Piece& piece);

  PieceKind before_{PieceKind::End};  ///< the last piece that was no mere content
  Place place_;
  u64 next_{0};  ///< nothing below it comes any more
};

Result<> Reading::all(PieceReader& in) {
  while (!in.at_end()) {
    const Piece piece = TRY(in.next());
    TRY(one(piece));
    if (piece.kind == PieceKind::End)
      return in.at_end() ? Result<>() : fail("the file goes on behind the snapshot's end");
  }
  return fail("the file is cut off");
}

Result<> Reading::one(const Piece& piece) {
  if (piece.kind == PieceKind::Pages || piece.kind == PieceKind::Clusters) return bytes(piece);
  if (before_ == PieceKind::Memory) TRY(memory_ends());
  // Each kind follows those before it.
  const bool first = before_ == PieceKind::End;
  const bool fits = first ? piece.kind == PieceKind::Start
                          : piece.kind != PieceKind::Start &&
                                (before_ == PieceKind::Start
                                     ? piece.kind == PieceKind::Devices
                                     : piece.kind > PieceKind::Devices && piece.kind >= before_);
  if (!fits) return fail("the file is damaged (a piece in a wrong place)");
  before_ = piece.kind;
  return enter(piece);
}

Result<> Reading::enter(const Piece& piece) {
  next_ = 0;
  switch (piece.kind) {
    case PieceKind::Start: return start(piece);
    case PieceKind::Devices: return devices(piece);
    case PieceKind::Memory: place_ = TRY(read_place(piece)); return memory(place_);
    case PieceKind::Disk: place_ = TRY(read_place(piece)); return disk(place_);
    default: return {};
  }
}

Result<> Reading::bytes(const Piece& piece) {
  const bool pages = piece.kind == PieceKind::Pages;
  if (before_ != (pages ? PieceKind::Memory : PieceKind::Disk))
    return fail("the file is damaged (a piece in a wrong place)");
  StateReader in(piece.payload);
  const u64 number = TRY(in.number(8));
  const auto data = TRY(in.bytes(in.remaining()));
  const u64 unit = pages ? kPageSize : Overlay::kClusterSize;
  // Pages are counted, clusters are named by their offset.
  const u64 most = place_.size / (pages ? kPageSize : 1);
  const u64 offset = number > most ? place_.size : number * (pages ? kPageSize : 1);
  const bool whole = data.size() % unit == 0 || (!pages && offset + data.size() == place_.size);
  if (offset % unit != 0 || offset < next_ || data.empty() || !whole ||
      data.size() > place_.size - offset)
    return fail("the file is damaged (bytes outside of '{}')", place_.name);
  next_ = offset + data.size();
  return pages ? this->pages(offset, data) : clusters(offset, data);
}

class Checking final : public Reading {
 public:
  CheckedFile file;

 protected:
  Result<> start(const Piece& piece) override {
    StateReader in(piece.payload);
    file.what = TRY(Description::load(in));
    return {};
  }
  Result<> devices(const Piece& piece) override {
    file.devices.assign(piece.payload.begin(), piece.payload.end());
    return {};
  }
  Result<> memory(const Place& place) override {
    if (!file.memory.emplace(place.name, place.size).second)
      return fail("the file is damaged (memory '{}' is in it twice)", place.name);
    return {};
  }
  Result<> disk(const Place& place) override {
    const auto& drives = file.what.drives;
    const auto it = std::ranges::find(drives, place.name, &DriveDescription::name);
    if (it == drives.end() || !it->writable || it->size != place.size)
      return fail("the file is damaged (drive '{}')", place.name);
    return {};
  }
};

class Loading final : public Reading {
 public:
  explicit Loading(const std::vector<std::shared_ptr<RamBlock>>& memory) : memory_(&memory) {}
  std::vector<DiskChanges> disks;

 protected:
  Result<> memory(const Place& place) override {
    const auto it = std::ranges::find(*memory_, place.name, [](const auto& b) { return b->id(); });
    if (it == memory_->end() || (*it)->size() != place.size)
      return fail("memory '{}' has gone", place.name);
    block_ = it->get();
    filled_ = 0;
    return {};
  }
  Result<> pages(u64 offset, std::span<const u8> data) override {
    clear_until(offset);
    std::memcpy(block_->host() + offset, data.data(), data.size());
    filled_ = offset + data.size();
    return {};
  }
  Result<> memory_ends() override {
    clear_until(block_->size());
    block_->mark_dirty(0, block_->size());
    return {};
  }
  Result<> disk(const Place& place) override {
    auto layer = TRY(Overlay::Layer::create());
    disks.push_back({.drive = place.name, .size = place.size, .layer = std::move(layer)});
    return {};
  }
  Result<> clusters(u64 offset, std::span<const u8> data) override {
    return disks.back().layer.write(offset, data);
  }

 private:
  // Memory that was never touched stays so.
  void clear_until(u64 end) {
    for (; filled_ < end; filled_ += kPageSize) {
      u8* const page = block_->host() + filled_;
      if (page[0] != 0 || !std::equal(page, page + kPageSize - 1, page + 1))
        std::memset(page, 0, kPageSize);
    }
  }

  const std::vector<std::shared_ptr<RamBlock>>* memory_;
  RamBlock* block_{};
  u64 filled_{0};
};

}  // namespace

Result<CheckedFile> check_file(FileDescriptor file, const Control& control) {
  Checking checking;
  PieceReader in(file.get(), control);
  TRY(checking.all(in));
  checking.file.file = std::move(file);
  return std::move(checking.file);
}

Result<> check_memory(const CheckedFile& file, Machine& machine) {
  const auto blocks = machine.map().ram_blocks();
  for (const auto& block : blocks) {
    const auto it = file.memory.find(block->id());
    if (it == file.memory.end())
      return fail("memory '{}' is in this machine, but not in the snapshot", block->id());
    if (it->second != block->size())
      return fail("memory '{}' has {} bytes in the snapshot, and {} in this machine", block->id(),
                  it->second, block->size());
  }
  for (const auto& [name, size] : file.memory)
    if (std::ranges::find(blocks, name, [](const auto& b) { return b->id(); }) == blocks.end())
      return fail("memory '{}' is in the snapshot, but not in this machine", name);
  return {};
}

Result<std::vector<DiskChanges>> load_contents(const CheckedFile& file,
                                               const std::vector<std::shared_ptr<RamBlock>>& memory,
                                               const Control& control) {
  Loading loading(memory);
  PieceReader in(file.file.get(), control);
  TRY(loading.all(in));
  return std::move(loading.disks);
}

}  // namespace rhea::snapshot
