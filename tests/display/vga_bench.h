// SPDX-License-Identifier: GPL-2.0-or-later
// A VGA card on the test machine, with the mode tables of the IBM BIOS.
#pragma once

#include "rhea/ui/console.h"
#include "tests/support/bench.h"

#include <array>

namespace rhea::test {

/// What a BIOS writes to set a mode.
struct VgaTable {
  u8 misc;
  std::array<u8, 4> seq;  ///< from 1
  std::array<u8, 0x19> crtc;
  std::array<u8, 0x15> attr;
  std::array<u8, 9> gfx;
};
extern const VgaTable kMode3;   ///< 80x25 text, 9x16 dots
extern const VgaTable kMode4;   ///< 320x200, four colours, CGA
extern const VgaTable kMode6;   ///< 640x200, two colours, CGA
extern const VgaTable kMode12;  ///< 640x480, sixteen colours
extern const VgaTable kMode13;  ///< 320x200, 256 colours

class VgaBench {
 public:
  static constexpr u32 kFrameBuffer = 0xe0000000, kRegisters = 0xe1000000;

  explicit VgaBench(const Properties& properties = {});

  Bench& operator*() { return bench_; }
  Bench* operator->() { return &bench_; }
  Device& device() { return device_; }
  Console& console() { return console_; }
  ScreenPicture picture() { return take_picture(console_, bench_.machine().lock()); }

  void seq(u8 index, u8 value) { indexed(0x3c4, index, value); }
  void gfx(u8 index, u8 value) { indexed(0x3ce, index, value); }
  void crtc(u8 index, u8 value) { indexed(0x3d4, index, value); }
  void attr(u8 index, u8 value);
  void vbe(u16 index, u16 value);
  u16 vbe(u16 index);
  void dac(u8 index, u8 red, u8 green, u8 blue);
  u8 seq(u8 index) { return indexed(0x3c4, index); }
  u8 gfx(u8 index) { return indexed(0x3ce, index); }
  u8 crtc(u8 index) { return indexed(0x3d4, index); }
  u8 attr(u8 index);

  void set_mode(const VgaTable& table);
  /// Sets a mode in which pixels tell their colour: plain_attributes() and gray_palette().
  void set_gray_mode(const VgaTable& table);
  /// Colour n of the DAC becomes gray level n / 4, so that pixels tell their index: red = green =
  /// blue = 4 * (n % 64).
  void gray_palette();
  /// Attribute palette register n becomes DAC colour n.
  void plain_attributes();
  void map_bars();
  /// Maps the BARs and enables a linear mode without clearing.
  void set_linear(u16 width, u16 height, u16 bits);
  /// Writes through the planes: font bytes of a character.
  void set_glyph(u8 character, std::span<const u8> lines, u32 font_unit = 0);
  void put_text(unsigned column, unsigned row, u8 character, u8 attribute);

  u32 pixel(int x, int y);
  /// A line of pixels, '#' where they have `color`.
  std::string pattern(int x, int y, int count, u32 color);
  void refresh(bool full = false) { console_.refresh_now(full); }

 private:
  void indexed(u16 port, u8 index, u8 value);
  u8 indexed(u16 port, u8 index);

  Bench bench_;
  Device& device_;
  Console& console_;
};

/// A display client that remembers what it is told.
class ClientProbe : public DisplayClient {
 public:
  void resized(pixman_image_t*) override { ++resizes; }
  void updated(const Rect& rect) override { updates.push_back(rect); }
  void detached() override { ++detachments; }
  int refresh_interval_ms() const override { return interval; }
  int resizes{}, detachments{}, interval{};
  std::vector<Rect> updates;
};

/// A client of a screen that has been drawn and that nothing has changed since; `updates` are those
/// of one more refresh.
class SettledClient final : public ClientProbe {
 public:
  explicit SettledClient(VgaBench& vga);
  ~SettledClient() override;

 private:
  Console& console_;
};

}  // namespace rhea::test
