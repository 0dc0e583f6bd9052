# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of a guest's screen in the PPM format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEADER = re.compile(rb"P6\s+(\d+)\s+(\d+)\s+255\s")
BAR_ROWS = 6  # a bar of a text menu is at least this high


@dataclass(frozen=True)
class Screen:
    width: int
    height: int
    pixels: bytes

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        at = (y * self.width + x) * 3
        return tuple(self.pixels[at:at + 3])

    def lit(self, row: int) -> int:
        """How many pixels of a row have some colour brighter than half."""
        line = self.pixels[row * self.width * 3:(row + 1) * self.width * 3]
        return sum(max(line[at:at + 3]) > 127 for at in range(0, len(line), 3))

    def menu_bar(self) -> int | None:
        """The first row of a text menu's bar: a band lit nearly from side to side."""
        band = 0
        for row in range(self.height):
            band = band + 1 if self.lit(row) > self.width * 0.8 else 0
            if band == BAR_ROWS:
                return row - BAR_ROWS + 1
        return None


def read_ppm(path: Path) -> Screen:
    data = path.read_bytes()
    header = HEADER.match(data)
    if not header:
        raise ValueError(f"{path} is not a PPM picture")
    width, height = int(header[1]), int(header[2])
    pixels = data[header.end():]
    if len(pixels) != width * height * 3:
        raise ValueError(f"{path}: {len(pixels)} bytes for {width} x {height} pixels")
    return Screen(width, height, pixels)
