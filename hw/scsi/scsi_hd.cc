// SPDX-License-Identifier: GPL-2.0-or-later
// scsi-hd: declaration, vital product data, mode pages.
#include "hw/scsi/scsi_hd.h"

#include "hw/scsi/big_endian.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {
namespace {

constexpr u32 kUsualHeads = 16, kUsualTrackSectors = 63;
constexpr u32 kMostCylinders = 16383;
constexpr u8 kLimitsPage = 0xb0, kCharacteristicsPage = 0xb1, kProvisioningPage = 0xb2;
constexpr std::size_t kLongPage = 60, kProvisioningBytes = 4;
constexpr u8 kErrorPage = 0x01, kGeometryPage = 0x04, kCachingPage = 0x08, kControlPage = 0x0a;
constexpr u8 kWriteCacheBit = 0x04;

}  // namespace

void ScsiHd::describe(Schema<ScsiHd>& s) {
  s.help("virtual SCSI disk");
  s.property("removable", &ScsiHd::removable_property_, false)
      .help("it has a tray, and may be empty");
  s.property("dpofua", &ScsiHd::dpofua_, false)
      .help("claim that reads and writes past the cache are known; they are");
  s.property("rotation_rate", &ScsiHd::rotation_rate_, u16{0})
      .help("a minute; 0: untold, 1: it does not rotate");
  s.property("max_unmap_size", &ScsiHd::most_unmap_bytes_, u64{GiB})
      .as_size()
      .help("of one UNMAP; 0: none");
  s.property("cyls", &ScsiHd::cylinders_, u32{0}).range(0, 0xff'ffff);
  s.property("heads", &ScsiHd::heads_, u32{0}).range(0, 255);
  s.property("secs", &ScsiHd::track_sectors_, u32{0}).range(0, 255);
  s.state("write-cache", &ScsiHd::write_cache_);
}

ScsiHd::ScsiHd() : ScsiDisk({.type = 0x00, .product = "QEMU HARDDISK", .block_bytes = 512}) {}

Result<> ScsiHd::check_kind() {
  removable_ = removable_property_;
  if (drive_ == nullptr) return fail("drive property not set");
  if (!removable_ && !drive_->inserted() && !drive_->is_node())
    return fail("Device needs media, but drive '{}' is empty", drive_->name());
  const bool some = (cylinders_ | heads_ | track_sectors_) != 0;
  if (some && (cylinders_ == 0 || heads_ == 0 || track_sectors_ == 0))
    return fail("Properties 'cyls', 'heads' and 'secs' must be given together");
  return {};
}

Result<> ScsiHd::realize() {
  TRY(ScsiDisk::realize());
  drive_->on_resized([this] {
    attention(sense::kCapacityChanged);
    host().unit_changed(*this, sense::kCapacityChanged);
  });
  return {};
}

bool ScsiHd::starts_with_cache() const {
  if (write_cache_property_ != OnOffAuto::Auto) return write_cache_property_ == OnOffAuto::On;
  return !drive_->inserted() || drive_->medium()->details().cache.writeback;
}

void ScsiHd::reset(ResetKind kind) {
  write_cache_ = starts_with_cache();
  ScsiDisk::reset(kind);
}

// ---- Vital product data (SBC-3, 6.5)

std::vector<u8> ScsiHd::more_vital_pages() const {
  return {kLimitsPage, kCharacteristicsPage, kProvisioningPage};
}

std::optional<std::vector<u8>> ScsiHd::vital_page(u8 page) const {
  switch (page) {
    case kLimitsPage: return limits_page();
    case kCharacteristicsPage: {
      std::vector<u8> data(kLongPage);
      put_be(data, 0, rotation_rate_, 2);
      return data;
    }
    case kProvisioningPage: {
      constexpr u8 kUnmaps = 0x80, kWriteSame16Unmaps = 0x40, kWriteSame10Unmaps = 0x20;
      constexpr u8 kThin = 2;
      std::vector<u8> data(kProvisioningBytes);
      if (!thin()) return data;
      data[1] = kWriteSame16Unmaps | kWriteSame10Unmaps;
      if (most_unmap_bytes_ != 0) data[1] |= kUnmaps;
      data[2] = kThin;
      return data;
    }
    default: return ScsiDisk::vital_page(page);
  }
}

std::vector<u8> ScsiHd::limits_page() const {
  constexpr u8 kNoZeroLength = 0x01;  // of WRITE SAME
  constexpr u64 kMostRanges = 255;
  const auto blocks_in = [this](u64 bytes) { return std::min<u64>(bytes / block_bytes_, ~u32{0}); };
  std::vector<u8> data(kLongPage);
  data[0] = kNoZeroLength;
  put_be(data, 2, blocks_in(min_io_bytes_), 2);
  put_be(data, 4, blocks_in(most_io_bytes_), 4);
  put_be(data, 8, blocks_in(opt_io_bytes_), 4);
  const bool unmaps = thin() && most_unmap_bytes_ != 0;
  if (unmaps) {
    put_be(data, 16, blocks_in(most_unmap_bytes_), 4);
    put_be(data, 20, kMostRanges, 4);
    put_be(data, 24, blocks_in(discard_bytes_), 4);
  }
  put_be(data, 32, blocks_in(most_io_bytes_), 8);
  return data;
}

// ---- Mode pages (SBC-3, 6.4)

u8 ScsiHd::device_specific() const {
  constexpr u8 kWriteProtected = 0x80, kPastTheCache = 0x10;
  return static_cast<u8>((drive_->inserted() && drive_->read_only() ? kWriteProtected : 0) |
                         (dpofua_ ? kPastTheCache : 0));
}

std::vector<ScsiDisk::ModePage> ScsiHd::mode_pages(bool as_reset) const {
  constexpr u8 kReallocatesWrites = 0x80;
  constexpr std::size_t kFixed = 10, kGeometryBytes = 22, kCachingBytes = 18;
  std::vector<u8> error(kFixed), geometry(kGeometryBytes), caching(kCachingBytes), control(kFixed);
  error[0] = kReallocatesWrites;
  const u64 heads = heads_ != 0 ? heads_ : kUsualHeads;
  const u64 cylinders =
      cylinders_ != 0
          ? cylinders_
          : std::clamp<u64>(blocks() / (kUsualHeads * kUsualTrackSectors), 2, kMostCylinders);
  put_be(geometry, 0, cylinders, 3);
  geometry[3] = static_cast<u8>(heads);
  put_be(geometry, 18, rotation_rate_ > 1 ? rotation_rate_ : 5400, 2);
  if (as_reset ? starts_with_cache() : write_cache_) caching[0] = kWriteCacheBit;
  std::vector<u8> cache_bits(kCachingBytes);
  cache_bits[0] = kWriteCacheBit;
  std::vector<ModePage> pages;
  pages.push_back({kErrorPage, std::move(error), std::vector<u8>(kFixed)});
  pages.push_back({kGeometryPage, std::move(geometry), std::vector<u8>(kGeometryBytes)});
  pages.push_back({kCachingPage, std::move(caching), std::move(cache_bits)});
  pages.push_back({kControlPage, std::move(control), std::vector<u8>(kFixed)});
  return pages;
}

void ScsiHd::set_mode_page(const ModePage& page) {
  if (page.code == kCachingPage) write_cache_ = (page.body[0] & kWriteCacheBit) != 0;
}

namespace {
const RegisterType<ScsiHd> registration;
}  // namespace

}  // namespace rhea::hw
