// SPDX-License-Identifier: GPL-2.0-or-later
// Reading and writing the VGA's registers.
#include "hw/display/vga_registers.h"

namespace rhea::hw {
namespace {

// Bits that exist; the others read back as zero.
constexpr std::array<u8, 8> kSeqMask = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0x00};
constexpr std::array<u8, 16> kGfxMask = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};
constexpr std::array<u8, 5> kAttrMask = {0xef, 0xff, 0x3f, 0x0f, 0x0f};  // from 0x10
constexpr u8 kMiscMask = 0xef;
constexpr u8 kPaletteMask = 0x3f;
constexpr u8 kUnused = 0xff;

}  // namespace

void VgaRegisters::describe(StateFields<VgaRegisters>& s) {
  s.state("misc", &VgaRegisters::misc);
  s.state("feature", &VgaRegisters::feature);
  s.state("seq-index", &VgaRegisters::seq_index);
  s.state("seq", &VgaRegisters::seq);
  s.state("gfx-index", &VgaRegisters::gfx_index);
  s.state("gfx", &VgaRegisters::gfx);
  s.state("crtc-index", &VgaRegisters::crtc_index);
  s.state("crtc", &VgaRegisters::crtc);
  s.state("attr-index", &VgaRegisters::attr_index);
  s.state("attr-data", &VgaRegisters::attr_data);
  s.state("attr", &VgaRegisters::attr);
  s.state("dac-mask", &VgaRegisters::dac_mask);
  s.state("dac-index", &VgaRegisters::dac_index);
  s.state("dac-component", &VgaRegisters::dac_component).range(0, 2);
  s.state("dac-reading", &VgaRegisters::dac_reading);
  s.state("dac-8bit", &VgaRegisters::dac_8bit);
  s.state("dac-latch", &VgaRegisters::dac_latch);
  s.state("dac", &VgaRegisters::dac);
}

// The CRT controller and the input status answer at 0x3bx or at 0x3dx.
bool VgaRegisters::decodes(u16 port) const {
  const u16 group = port & 0xfff0;
  return group == 0x3c0 || (group == 0x3d0) == color();
}

u8 VgaRegisters::read(u16 port) {
  if (!decodes(port)) return kUnused;
  switch (port) {
    case 0x3c0: return attr_data ? 0 : attr_index;
    case 0x3c1: {
      const unsigned index = attr_index & 0x1f;
      return index < attr.size() ? attr[index] : 0;
    }
    case 0x3c4: return seq_index;
    case 0x3c5: return seq[seq_index & 7];
    case 0x3c6: return dac_mask;
    case 0x3c7: return dac_reading ? 3 : 0;
    case 0x3c8: return dac_index;
    case 0x3c9: return read_dac();
    case 0x3ca: return feature;
    case 0x3cc: return misc;
    case 0x3ce: return gfx_index;
    case 0x3cf: return gfx[gfx_index & 15];
    case 0x3b4:
    case 0x3d4: return crtc_index;
    case 0x3b5:
    case 0x3d5: return crtc_index < crtc.size() ? crtc[crtc_index] : 0;
    case 0x3ba:
    case 0x3da: attr_data = false; return 0;
    default: return 0;
  }
}

void VgaRegisters::write(u16 port, u8 value) {
  if (!decodes(port)) return;
  switch (port) {
    case 0x3c0: write_attribute(value); break;
    case 0x3c2: misc = value & kMiscMask; break;
    case 0x3c4: seq_index = value & 7; break;
    case 0x3c5: seq[seq_index & 7] = value & kSeqMask[seq_index & 7]; break;
    case 0x3c6: dac_mask = value; break;
    case 0x3c7: address_dac(value, true); break;
    case 0x3c8: address_dac(value, false); break;
    case 0x3c9: write_dac(value); break;
    case 0x3ce: gfx_index = value & 15; break;
    case 0x3cf: gfx[gfx_index & 15] = value & kGfxMask[gfx_index & 15]; break;
    case 0x3b4:
    case 0x3d4: crtc_index = value; break;
    case 0x3b5:
    case 0x3d5: write_crtc(value); break;
    case 0x3ba:
    case 0x3da: feature = value & 0x08; break;
    default: break;
  }
}

// One address register behind two ports. The colour at a read address is fetched at once and the
// address goes on, so that 0x3c8, and a write to 0x3c9, find the next one.
void VgaRegisters::address_dac(u8 index, bool read) {
  dac_index = index;
  dac_component = 0;
  dac_reading = read;
  if (read) fetch_dac();
}

void VgaRegisters::fetch_dac() {
  for (unsigned i = 0; i < 3; ++i) dac_latch[i] = dac[dac_index * 3u + i];
  ++dac_index;
}

u8 VgaRegisters::read_dac() {
  const u8 value = dac_latch[dac_component];
  if (++dac_component == 3) {
    dac_component = 0;
    fetch_dac();
  }
  return value;
}

// A colour changes when its third component is there.
void VgaRegisters::write_dac(u8 value) {
  dac_latch[dac_component] = dac_8bit ? value : value & 0x3f;
  if (++dac_component < 3) return;
  dac_component = 0;
  for (unsigned i = 0; i < 3; ++i) dac[dac_index * 3u + i] = dac_latch[i];
  ++dac_index;
}

void VgaRegisters::write_attribute(u8 value) {
  attr_data = !attr_data;
  if (attr_data) {
    attr_index = value & 0x3f;
    return;
  }
  const unsigned index = attr_index & 0x1f;
  if (index < 16)
    attr[index] = value & kPaletteMask;
  else if (index < attr.size())
    attr[index] = value & kAttrMask[index - 16];
}

void VgaRegisters::write_crtc(u8 value) {
  const bool locked = (crtc[0x11] & 0x80) != 0;
  if (crtc_index >= crtc.size()) return;
  if (locked && crtc_index < 7) return;
  // Of the overflow register, the bit of line compare stays free.
  if (locked && crtc_index == 7) value = static_cast<u8>((crtc[7] & ~0x10) | (value & 0x10));
  crtc[crtc_index] = value;
}

}  // namespace rhea::hw
