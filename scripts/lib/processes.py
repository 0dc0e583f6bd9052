# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes to be measured: their output within a time limit, CPU time, resident memory."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path

NANOSECONDS = 1e-9


def cpu_seconds(pid: int) -> float:
    """What all threads of the process that live have computed so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that ended meanwhile
    return total * NANOSECONDS


class Measured:
    """A process whose standard input and output are pipes; ends with the `with` block."""

    def __init__(self, command: list[str]) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, bufsize=0)

    def __enter__(self) -> Measured:
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def say(self, data: bytes) -> None:
        self.process.stdin.write(data)

    def wait_for(self, needle: bytes, seconds: float) -> bool:
        """Whether the output from now on holds `needle` (any byte for b"") within that time."""
        limit = time.monotonic() + seconds
        seen = b""
        while (left := limit - time.monotonic()) > 0:
            if not select.select([self.process.stdout], [], [], left)[0]:
                break
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                break
            seen += data
            if needle in seen:
                return True
        return False

    def read(self, seconds: float) -> bytes:
        """The next piece of output; nothing when none comes within that time."""
        if not select.select([self.process.stdout], [], [], max(seconds, 0))[0]:
            return b""
        return os.read(self.process.stdout.fileno(), 65536)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def resident_mib(self) -> float:
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        return next(int(l.split()[1]) for l in rollup.splitlines() if l.startswith("Rss:")) / 1024
