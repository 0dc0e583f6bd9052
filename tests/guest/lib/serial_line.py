# SPDX-License-Identifier: GPL-2.0-or-later
"""The far end of a guest's serial line: hears all that is said from the start, and types."""

from __future__ import annotations

import re
import socket
import tempfile
import threading
from pathlib import Path

# What steers a terminal: ECMA-48's control sequences, and characters that only move.
STEERING = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][0-9A-B]|\x1b[=>78cDEHM]|[\r\0\x0e\x0f]")
LONGEST_SEQUENCE = 16


class SerialLine:
    """Listens before the emulator starts, so that the first character is not lost."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="rhea-serial-")
        self.path = Path(self.folder.name) / "line"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.connection: socket.socket | None = None
        self.raw = bytearray()
        self.read = 0  # how much of it is in the text
        self.plain = ""
        self.seen = 0  # how much of the text earlier matches have used up
        self.ear = threading.Thread(target=self.listen, daemon=True)
        self.ear.start()

    @property
    def options(self) -> list[str]:
        return ["-serial", f"unix:{self.path}"]

    def listen(self) -> None:
        try:
            self.connection, _ = self.listener.accept()
            while piece := self.connection.recv(65536):
                self.raw += piece
        except OSError:
            pass  # closed: the run is over

    def text(self) -> str:
        """All that was said, without what only steers a terminal."""
        heard = len(self.raw)
        fresh = self.raw[self.read:heard].decode("latin-1")
        whole, escape, rest = fresh.rpartition("\x1b")
        if escape and len(rest) < LONGEST_SEQUENCE and not STEERING.match(escape + rest):
            fresh, heard = whole, heard - len(escape + rest)  # the rest is on its way
        self.plain += STEERING.sub("", fresh)
        self.read = heard
        return self.plain

    def find(self, pattern: str) -> re.Match | None:
        """The next place that matches, after the last one found."""
        match = re.compile(pattern).search(self.text(), self.seen)
        if match:
            self.seen = match.end()
        return match

    def type(self, text: str) -> None:
        self.connection.sendall(text.encode())

    def close(self) -> None:
        for end in (self.connection, self.listener):
            if end:
                end.close()
        self.folder.cleanup()
