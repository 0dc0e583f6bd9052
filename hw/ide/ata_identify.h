// SPDX-License-Identifier: GPL-2.0-or-later
// The 512 bytes that IDENTIFY DEVICE and IDENTIFY PACKET DEVICE answer with.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>
#include <string_view>
#include <vector>

namespace rhea::hw {

/// Cylinders, heads and sectors per track; sectors count from 1.
struct AtaGeometry {
  u32 cylinders{}, heads{}, sectors{};
  u64 total() const { return u64{cylinders} * heads * sectors; }
};

/// The transfer mode that SET FEATURES chose; at most one of the DMA kinds is selected.
struct AtaModes {
  u8 multiword{0};    ///< one bit of 0..2, or none
  u8 ultra{1u << 5};  ///< one bit of 0..5, or none

  static void describe(StateFields<AtaModes>& s) {
    s.state("multiword", &AtaModes::multiword).range(0, 0x07);
    s.state("ultra", &AtaModes::ultra).range(0, 0x3f);
  }
};

/// The value of SET FEATURES 03h (8.46, table 46); false when there is no such mode.
bool set_transfer_mode(AtaModes& modes, u8 value);

struct AtaIdentity {
  std::string_view serial, version, model;
  u64 wwn{};
  AtaModes modes;
  // Disks only.
  u64 sectors{};
  AtaGeometry native, current;
  u8 max_multiple{}, multiple{};
  bool write_cache{}, look_ahead{}, smart{};
  u32 logical_block{512}, physical_block{512};
};

/// ATA/ATAPI-6, 8.15.8.
std::vector<u8> identify_disk(const AtaIdentity& id);
/// ATA/ATAPI-6, 8.16.8.
std::vector<u8> identify_packet(const AtaIdentity& id);

}  // namespace rhea::hw
