# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes archives in the "newc" form of cpio, which Linux takes as initial file system; no root
is needed for its device nodes. The form is described in Linux's Documentation/driver-api/
early-userspace/buffer-format.rst."""

from __future__ import annotations

import stat
from typing import BinaryIO


class Newc:
    def __init__(self, sink: BinaryIO) -> None:
        self.sink = sink
        self.entries = 0

    def __enter__(self) -> Newc:
        return self

    def __exit__(self, *_) -> None:
        self.entry("TRAILER!!!", 0)

    def folder(self, name: str, mode: int = 0o755) -> None:
        self.entry(name, stat.S_IFDIR | mode)

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        self.entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        self.entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name: str, major: int, minor: int, mode: int = 0o600) -> None:
        self.entry(name, stat.S_IFCHR | mode, device=(major, minor))

    def entry(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self.entries += 1
        path = name.encode() + b"\0"
        owner = group = modified = check = 0
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self.entries, mode, owner, group, links, modified, len(content), 0, 0, *device,
                  len(path), check)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.write_padded(header + path)
        self.write_padded(content)

    def write_padded(self, data: bytes) -> None:
        self.sink.write(data + bytes(-len(data) % 4))
