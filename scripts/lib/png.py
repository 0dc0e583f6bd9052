# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads PNG pictures of a guest's screen: eight bits a channel, not interlaced."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type: grey, RGB, grey and alpha, RGBA


class BadPng(ValueError):
    pass


@dataclass
class Picture:
    width: int
    height: int
    channels: int
    rows: list[bytes]

    def lit(self, row: int) -> int:
        """How many pixels of a row are brighter than half."""
        line, colours = self.rows[row], 1 if self.channels < 3 else 3
        return sum(max(line[i:i + colours]) > 127 for i in range(0, len(line), self.channels))


def chunks(data: bytes):
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + length]
        at += 12 + length


def paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = [(abs(guess - value), order, value)
                 for order, value in enumerate((left, up, corner))]
    return min(distances)[2]


def unfilter(kind: int, line: bytearray, above: bytes, step: int) -> None:
    """Undoes one of PNG's five row filters in place."""
    if kind == 0:
        return
    for i, value in enumerate(line):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        up = above[i]
        guess = {1: left, 2: up, 3: (left + up) // 2}.get(kind)
        line[i] = (value + (paeth(left, up, corner) if guess is None else guess)) & 0xFF


def read(data: bytes) -> Picture:
    if not data.startswith(SIGNATURE):
        raise BadPng("not a PNG file")
    header, packed = b"", b""
    for kind, body in chunks(data):
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
    try:
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
        raw = zlib.decompress(packed)
    except (struct.error, zlib.error) as error:
        raise BadPng(str(error)) from error
    if depth != 8 or colour not in CHANNELS or interlaced:
        raise BadPng("a kind of PNG that is not read here")
    step = CHANNELS[colour]
    size = width * step
    if len(raw) != height * (size + 1):
        raise BadPng("too short")
    rows, above = [], bytes(size)
    for at in range(0, len(raw), size + 1):
        line = bytearray(raw[at + 1:at + 1 + size])
        unfilter(raw[at], line, above, step)
        above = bytes(line)
        rows.append(above)
    return Picture(width, height, step, rows)
