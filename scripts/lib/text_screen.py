# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the characters of a VGA's text screen out of the guest's display memory."""

from __future__ import annotations

import re

TEXT_MEMORY = 0xB8000
COLUMNS = 80
WORDS = 32 * 1024 // 4  # all of it: guests scroll by moving the picture's start
WORD = re.compile(r"0x([0-9a-f]{8})\b")


def read(hmp) -> str:
    """All lines of the text memory, whether they are on the screen or above it."""
    dump = hmp(f"xp /{WORDS}xw {TEXT_MEMORY:#x}")
    words = [int(word, 16) for line in dump.splitlines()
             for word in WORD.findall(line.partition(":")[2])]
    characters = "".join(character(word & 0xFF) + character(word >> 16 & 0xFF) for word in words)
    lines = [characters[at:at + COLUMNS].rstrip() for at in range(0, len(characters), COLUMNS)]
    return "\n".join(line for line in lines if line)


def character(code: int) -> str:
    return chr(code) if 0x20 <= code < 0x7F else " "
