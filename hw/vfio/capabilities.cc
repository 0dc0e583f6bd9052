// SPDX-License-Identifier: GPL-2.0-or-later
// PCI Local Bus Specification 3.0, 6.7 and appendix H.
#include "hw/vfio/capabilities.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rhea::hw::vfio {
namespace {

enum Id : u8 {
  kPowerManagement = 0x01,
  kMsi = 0x05,
  kVendor = 0x09,
  kExpress = 0x10,
  kMsix = 0x11
};
constexpr unsigned kFirst = 0x40, kHeader = 2;
constexpr u8 kStatusList = 0x10;
/// A descriptor each: more than drivers of single devices ask for.
constexpr unsigned kMostMessages = 256;
constexpr u64 kEntry = 16;

using Config = std::array<u8, PciDevice::kConfigSize>;

u16 word(const Config& config, unsigned at) {
  return static_cast<u16>(config[at] | config[at + 1] << 8);
}
u32 dword(const Config& config, unsigned at) {
  return word(config, at) | static_cast<u32>(word(config, at + 2)) << 16;
}

/// Puts capabilities into the 192 bytes there are for them.
class Reader {
 public:
  explicit Reader(const Identity& identity) : identity_(identity), config_(identity.config) {}

  Capabilities read() {
    if ((config_[pci::kStatus] & kStatusList) == 0) return found_;
    unsigned at = config_[pci::kCapabilities] & ~3U;
    for (unsigned left = Config().size() / 4; left != 0 && at >= kFirst; --left) {
      take(at);
      at = config_[at + 1] & ~3U;
    }
    return found_;
  }

 private:
  bool fits(unsigned at, unsigned size) {
    const unsigned length = (size + 3) & ~3U;
    if (at + size > config_.size() || length > room_) return false;
    room_ -= length;
    return true;
  }

  void take(unsigned at) {
    switch (config_[at]) {
      case kPowerManagement:
        if (!found_.power_management) found_.power_management = fits(at, 8);
        break;
      case kMsi:
        if (found_.msi_vectors == 0 && fits(at, 0x10)) take_msi(at);
        break;
      case kMsix:
        if (found_.msix_vectors == 0 && fits(at, 12)) take_msix(at);
        break;
      case kExpress: take_express(at); break;
      case kVendor: take_vendor(at); break;
      default: break;
    }
  }

  void take_msi(unsigned at) {
    const unsigned wanted = 1U << std::min(word(config_, at + 2) >> 1 & 7, 5);
    const u32 there = identity_.interrupts.of[1];
    if (there != 0) found_.msi_vectors = std::min(wanted, std::bit_floor(there));
  }

  void take_msix(unsigned at) {
    const unsigned wanted = (word(config_, at + 2) & 0x7ffU) + 1;
    found_.msix_vectors = std::min({wanted, kMostMessages, identity_.interrupts.of[2]});
    if (found_.msix_vectors == 0) return;
    const u32 table = dword(config_, at + 4), pending = dword(config_, at + 8);
    const unsigned bar = table & 7;
    const u64 offset = table & ~7U;
    // Rhea's own lies in one piece.
    const bool in_one = pending == table + wanted * kEntry && found_.msix_vectors == wanted;
    found_.msix_in_place =
        in_one && is_memory(bar) &&
        offset + wanted * kEntry + 8 * ((wanted + 63) / 64) <= identity_.bars[bar].size;
    if (found_.msix_in_place) {
      found_.msix_bar = bar;
      found_.msix_offset = offset;
    } else if (const auto free = free_bar()) {
      found_.msix_bar = *free;
    } else {
      found_.msix_vectors = 0;
    }
  }

  void take_express(unsigned at) {
    if (found_.express || at + 4 > config_.size()) return;
    const auto type = static_cast<ExpressType>(word(config_, at + 2) >> 4 & 0xf);
    const bool known = type == ExpressType::Endpoint || type == ExpressType::LegacyEndpoint ||
                       type == ExpressType::RootComplexEndpoint;
    if (known && fits(0, 0x3c)) found_.express = type;
  }

  void take_vendor(unsigned at) {
    const unsigned length = at + kHeader < config_.size() ? config_[at + kHeader] : 0;
    if (length <= kHeader + 1 || !fits(at, length)) return;
    const auto first = config_.begin() + at;
    found_.vendor.emplace_back(first + kHeader + 1, first + length);
  }

  bool is_memory(unsigned bar) const {
    return bar < identity_.bars.size() && identity_.bars[bar].size != 0 &&
           identity_.bars[bar].kind != BarKind::Io;
  }
  std::optional<unsigned> free_bar() const {
    for (unsigned n = 0; n < identity_.bars.size(); ++n) {
      const bool upper_half = n > 0 && identity_.bars[n - 1].size != 0 &&
                              (identity_.bars[n - 1].kind == BarKind::Memory64 ||
                               identity_.bars[n - 1].kind == BarKind::MemoryPrefetch64);
      if (identity_.bars[n].size == 0 && !upper_half) return n;
    }
    return std::nullopt;
  }

  const Identity& identity_;
  const Config& config_;
  Capabilities found_;
  unsigned room_{PciDevice::kConfigSize - kFirst};
};

}  // namespace

Capabilities read_capabilities(const Identity& identity) { return Reader(identity).read(); }

}  // namespace rhea::hw::vfio
