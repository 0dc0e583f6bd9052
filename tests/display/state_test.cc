// SPDX-License-Identifier: GPL-2.0-or-later
// The VGA through reset, snapshots and random accesses.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

TEST(VgaState, ResetBlanksAndForgetsTheLinearMode) {
  VgaBench vga;
  vga.set_linear(640, 480, 32);
  vga->reset();
  EXPECT_EQ(vga.vbe(4), 0);
  EXPECT_EQ(vga.vbe(1), 0);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), 0U);
}

TEST(VgaState, SnapshotBringsTextBack) {
  VgaBench saved;
  saved.set_mode(kMode3);
  saved.gray_palette();
  saved.set_glyph('A', std::array<u8, 2>{0x80, 0x01});
  saved.put_text(4, 5, 'A', 0x1f);
  const std::vector<u8> stream = saved->save();
  saved.refresh(true);
  VgaBench loaded;
  ASSERT_TRUE(loaded->load(stream));
  loaded.refresh(true);
  const TextScreen screen = loaded.console().source()->text();
  ASSERT_EQ(screen.columns, 80);
  EXPECT_EQ(screen.cells.at(5 * 80 + 4).character, 'A');
  EXPECT_EQ(loaded->load(0xb8000 + (5 * 80 + 4) * 2, 2), 0x1f41U);
  EXPECT_EQ(loaded.pattern(36, 80, 9, saved.pixel(36, 80)),
            saved.pattern(36, 80, 9, saved.pixel(36, 80)));
}

TEST(VgaState, SnapshotBringsALinearModeBack) {
  VgaBench saved;
  saved.map_bars();
  saved.set_linear(800, 600, 16);
  saved->store(VgaBench::kFrameBuffer + 2, 0xffff, 2);
  const std::vector<u8> stream = saved->save();
  VgaBench loaded;
  ASSERT_TRUE(loaded->load(stream));
  loaded.refresh();
  EXPECT_EQ(loaded.console().width(), 800);
  EXPECT_EQ(loaded.pixel(1, 0), 0xffffffU);
}

TEST(VgaState, SnapshotOfALoadedMachineIsTheSame) {
  VgaBench saved;
  saved.set_mode(kMode12);
  saved->store(0xa0123, 0x5a, 1);
  saved->outb(0x3c8, 5);
  saved->outb(0x3c9, 1);
  const std::vector<u8> stream = saved->save();
  VgaBench loaded;
  ASSERT_TRUE(loaded->load(stream));
  EXPECT_EQ(loaded->save(), stream);
  // The second component of colour 5 comes next.
  loaded->outb(0x3c9, 2);
  loaded->outb(0x3c9, 3);
  loaded->outb(0x3c7, 5);
  EXPECT_EQ(loaded->inb(0x3c9), 1);
}

/// One random access to anything the card has.
void random_access(VgaBench& vga, std::mt19937& random) {
  const auto value = static_cast<u32>(random());
  const unsigned size = 1U << random() % 3;
  switch (random() % 8) {
    case 0: vga->out(static_cast<u16>(0x3b0 + random() % 0x30), value, size); break;
    case 1: vga->in(static_cast<u16>(0x3b0 + random() % 0x30), size); break;
    case 2: vga.crtc(static_cast<u8>(random() % 0x19), static_cast<u8>(value)); break;
    case 3:
      vga.vbe(static_cast<u16>(random() % 12),
              static_cast<u16>(random() % 4 == 0 ? value : value & 0x3ff));
      break;
    case 4: vga->store(0xa0000 + random() % 0x20000, value, size); break;
    case 5: vga->load(0xa0000 + random() % 0x20000, size); break;
    case 6: vga->store(VgaBench::kRegisters + random() % 0x1000, value, size); break;
    default: vga->store(VgaBench::kFrameBuffer + random() % MiB, value, size); break;
  }
}

TEST(VgaState, AnythingTheGuestDoesIsHarmless) {
  VgaBench vga(Properties{{"vgamem_mb", "1"}});
  vga.map_bars();
  std::mt19937 random(20221);
  for (unsigned i = 0; i < 100'000; ++i) {
    random_access(vga, random);
    if (i % 50 == 0) {
      // Half of the pictures would be black.
      vga->in(0x3da, 1);
      vga->in(0x3ba, 1);
      vga->outb(0x3c0, 0x20);
      vga.refresh();
      const TextScreen screen = vga.console().source()->text();
      ASSERT_EQ(screen.cells.size(), static_cast<std::size_t>(screen.columns * screen.rows));
    }
  }
  EXPECT_LE(vga.console().width(), 16000);
  EXPECT_TRUE(vga->load(vga->save()));
}

}  // namespace
}  // namespace rhea::test
