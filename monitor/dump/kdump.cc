// SPDX-License-Identifier: GPL-2.0-or-later
// Dumps in kdump's compressed format (makedumpfile's IMPLEMENTATION document): a header, notes, two
// bitmaps of pages, a descriptor for each page that is there, and the pages, compressed where that
// makes them smaller. "Flattened": records of {offset, size, bytes}, so that a pipe will do.
#include "monitor/dump/guest_note.h"
#include "monitor/dump/notes.h"
#include "monitor/dump/writer.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace rhea::dump {
namespace {

constexpr u64 kBlock = 4096;
constexpr u32 kVersion = 6;
constexpr u32 kZlib = 1;
constexpr std::size_t kRecord = 1 * MiB;  // bytes of pages in one record, about

/// What the flattened file begins with, in 4096 bytes.
struct FlatHeader {
  std::array<char, 16> signature{"makedumpfile"};
  u64 type{std::byteswap(u64{1})};
  u64 version{std::byteswap(u64{1})};
};

struct Header {
  std::array<char, 8> signature{'K', 'D', 'U', 'M', 'P', ' ', ' ', ' '};
  u32 version{kVersion};
  std::array<std::array<char, 65>, 6> uname{};  ///< system, node, release, version, machine, domain
  std::array<char, 6> padding{};
  u64 seconds{}, microseconds{};
  u32 status{kZlib};
  u32 block_size{kBlock};
  u32 sub_header_blocks{};
  u32 bitmap_blocks{};
  u32 max_page{};
  u32 total_ram_blocks{}, device_blocks{}, written_blocks{}, current_cpu{};
  u32 cpus{};
  std::array<u32, 2> padding_at_the_end{};
};
static_assert(offsetof(Header, seconds) == 408);

struct SubHeader {
  u64 physical_base{};
  u32 dump_level{1};  ///< zero pages are kept once
  u32 split{};
  u64 start_page{}, end_page{};
  u64 vmcoreinfo_offset{}, vmcoreinfo_size{};
  u64 notes_offset{}, notes_size{};
  u64 erase_info_offset{}, erase_info_size{};
  u64 start_page64{}, end_page64{}, max_page64{};
};
static_assert(sizeof(SubHeader) == 104);

struct PageDescriptor {
  u64 offset{};
  u32 size{};
  u32 flags{};  ///< kZlib, or 0 as it is
  u64 page_flags{};
};
static_assert(sizeof(PageDescriptor) == 24);

constexpr u64 blocks(u64 bytes) { return (bytes + kBlock - 1) / kBlock; }

class KdumpWriter {
 public:
  KdumpWriter(const GuestImage& image, Sink& sink, const Progress& progress)
      : image_(image),
        sink_(sink),
        progress_(progress),
        notes_(processor_notes(image)),
        pages_(image.end() / kBlock),
        sub_blocks_(blocks(sizeof(SubHeader) + notes_.size())),
        bitmap_bytes_(blocks((pages_ + 7) / 8) * kBlock) {}

  Result<> write() {
    TRY(sink_.write(bytes_of(FlatHeader())));
    TRY(sink_.zeros(kBlock - sizeof(FlatHeader)));
    TRY(headers());
    TRY(bitmaps());
    TRY(pages());
    constexpr u64 kEnd = ~u64{0};
    TRY(sink_.write(bytes_of(kEnd)));
    TRY(sink_.write(bytes_of(kEnd)));
    return sink_.flush();
  }

 private:
  Result<> record(u64 offset, std::span<const u8> data) {
    TRY(sink_.write(bytes_of(std::byteswap(offset))));
    TRY(sink_.write(bytes_of(std::byteswap(u64{data.size()}))));
    return sink_.write(data);
  }

  Result<> headers() {
    Header header;
    constexpr std::string_view kLong = "x86_64", kOld = "i686";
    std::ranges::copy(image_.is_64bit() ? kLong : kOld, header.uname[4].begin());
    header.sub_header_blocks = static_cast<u32>(sub_blocks_);
    header.bitmap_blocks = static_cast<u32>(2 * bitmap_bytes_ / kBlock);
    header.max_page = static_cast<u32>(std::min<u64>(pages_, UINT32_MAX));
    header.cpus = static_cast<u32>(image_.cpus.size());
    TRY(record(0, bytes_of(header)));
    SubHeader sub;
    sub.notes_offset = kBlock + sizeof sub;
    sub.notes_size = notes_.size();
    sub.max_page64 = pages_;
    if (const auto told = note_contents(image_.guest_note); !told.empty()) {
      const u64 before = static_cast<u64>(told.data() - image_.guest_note.data());
      sub.vmcoreinfo_offset = sub.notes_offset + notes_.size() - image_.guest_note.size() + before;
      sub.vmcoreinfo_size = told.size();
      sub.physical_base = physical_base(image_.guest_note).value_or(0);
    }
    TRY(record(kBlock, bytes_of(sub)));
    return record(kBlock + sizeof sub, notes_);
  }

  // The first says what memory there is, the second what of it is in the dump: everything.
  Result<> bitmaps() {
    std::vector<u8> bits(bitmap_bytes_);
    for (const Piece& piece : image_.pieces)
      for (u64 page = blocks(piece.physical); page < (piece.physical + piece.size) / kBlock;
           ++page) {
        bits[page / 8] = static_cast<u8>(bits[page / 8] | 1U << (page % 8));
        ++present_;
      }
    const u64 first = (1 + sub_blocks_) * kBlock;
    TRY(record(first, bits));
    return record(first + bitmap_bytes_, bits);
  }

  Result<> pages() {
    next_descriptor_ = (1 + sub_blocks_) * kBlock + 2 * bitmap_bytes_;
    next_page_ = next_descriptor_ + present_ * sizeof(PageDescriptor);
    for (const Piece& piece : image_.pieces)
      for (u64 page = blocks(piece.physical); page < (piece.physical + piece.size) / kBlock;
           ++page) {
        add_page(std::span(piece.host + (page * kBlock - piece.physical), kBlock));
        progress_(kBlock);
        if (data_.size() >= kRecord || descriptors_.size() * sizeof(PageDescriptor) >= kRecord)
          TRY(flush_pages());
      }
    return flush_pages();
  }

  void add_page(std::span<const u8> page) {
    const bool zero = std::ranges::all_of(page, [](u8 byte) { return byte == 0; });
    if (zero && zero_) return descriptors_.push_back(*zero_);
    const std::span<const u8> packed = compress(page);
    const bool smaller = packed.size() < page.size();
    const std::span<const u8> kept = smaller ? packed : page;
    descriptors_.push_back({.offset = next_page_ + data_.size(),
                            .size = static_cast<u32>(kept.size()),
                            .flags = smaller ? kZlib : 0});
    data_.insert(data_.end(), kept.begin(), kept.end());
    if (zero) zero_ = descriptors_.back();
  }

  std::span<const u8> compress(std::span<const u8> page) {
    uLongf size = packed_.size();
    const int status = compress2(packed_.data(), &size, page.data(), page.size(), Z_BEST_SPEED);
    RHEA_ASSERT(status == Z_OK);
    return std::span(packed_).first(size);
  }

  Result<> flush_pages() {
    if (!data_.empty()) TRY(record(next_page_, data_));
    next_page_ += data_.size();
    data_.clear();
    if (descriptors_.empty()) return {};
    const std::span<const u8> bytes(reinterpret_cast<const u8*>(descriptors_.data()),
                                    descriptors_.size() * sizeof(PageDescriptor));
    TRY(record(next_descriptor_, bytes));
    next_descriptor_ += bytes.size();
    descriptors_.clear();
    return {};
  }

  const GuestImage& image_;
  Sink& sink_;
  const Progress& progress_;
  const std::vector<u8> notes_;
  const u64 pages_;  ///< up to the end of memory, holes counted
  const u64 sub_blocks_, bitmap_bytes_;
  u64 present_{0};
  u64 next_descriptor_{0}, next_page_{0};
  std::vector<u8> data_;
  std::vector<PageDescriptor> descriptors_;
  std::optional<PageDescriptor> zero_;
  std::array<u8, kBlock + 64> packed_{};  // what zlib may make of a page that does not shrink
};

}  // namespace

Result<> write_kdump(const GuestImage& image, Sink& sink, const Progress& progress) {
  return KdumpWriter(image, sink, progress).write();
}

}  // namespace rhea::dump
