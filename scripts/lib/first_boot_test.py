# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of first_boot.py."""

import struct
import tempfile
import unittest
import zlib
from pathlib import Path

import first_boot
import png
from demos import Demo


def one_pixel(value: int) -> bytes:
    """A grey picture of one pixel."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (png.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes([0, value])))
            + chunk(b"IEND", b""))


class Guest:
    """A monitor's other end: the guest's prompt, pixel 255, comes between two looks at it."""

    def __init__(self):
        self.pixel = 0
        self.unreadable = 0  # so many pictures are cut off

    def command(self, line: str) -> str:
        picture = one_pixel(self.pixel)
        if self.unreadable and self.pixel:
            self.unreadable -= 1
            picture = picture[:20]
        Path(line.split()[1]).write_bytes(picture)
        return ""

    def shows_prompt(self, *_) -> bool:
        self.pixel = 255
        return True


def picture_of(guest: Guest) -> png.Picture:
    demo = Demo("prompt", (), (), (), "", guest.shows_prompt)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "screen.png"
        if not first_boot.wait_until_up(guest, demo, file, 5):
            raise AssertionError("not up")
        return png.read(file.read_bytes())


class FirstBootTest(unittest.TestCase):
    def setUp(self):
        first_boot.POLL_SECONDS = 0

    def test_the_picture_has_what_was_waited_for(self):
        self.assertEqual(picture_of(Guest()).lit(0), 1)

    def test_a_half_written_picture_is_taken_again(self):
        guest = Guest()
        guest.unreadable = 3
        self.assertEqual(picture_of(guest).lit(0), 1)


if __name__ == "__main__":
    unittest.main()
