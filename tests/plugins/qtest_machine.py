# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a CPU whose one device is another program: accesses to it, and what Rhea says."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import tap
from qmp import Qmp

SECONDS = 60.0
BASE = 0xfe000000
SLOT = 5
ONES = 0xffffffff


class QtestMachine:
    def __init__(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="rhea-plugins-")
        self.folder = Path(self.temporary.name)

    def start(self, rhea: Path, options: Sequence[str], variables: dict[str, str] | None = None) -> None:
        self.errors = open(self.folder / "stderr", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(rhea), "-accel", "qtest", "-display", "none", "-qtest", f"unix:{self.folder}/qtest,server=on,wait=off",
             "-qtest-log", "none", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off", *options],
            stdin=subprocess.DEVNULL, stderr=self.errors, env={**os.environ, **(variables or {})})

    def connect(self) -> QtestMachine:
        self.qmp = Qmp(self.folder / "qmp", SECONDS, alive=lambda: self.process.poll() is None)
        self.qtest = socket.socket(socket.AF_UNIX)
        self.qtest.connect(str(self.folder / "qtest"))
        self.answers = self.qtest.makefile("r")
        self.config(0x10, BASE)
        self.config(0x04, 6)
        return self

    def __enter__(self) -> QtestMachine:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        self.errors.close()
        self.temporary.cleanup()

    def said(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def ask(self, line: str) -> str:
        self.qtest.sendall(f"{line}\n".encode())
        return self.answers.readline().removeprefix("OK").strip()

    def config(self, register: int, value: int) -> None:
        self.ask(f"outl 0xcf8 {0x80000000 | SLOT << 11 | register}")
        self.ask(f"outl 0xcfc {value}")

    def config_read(self, register: int) -> int:
        self.ask(f"outl 0xcf8 {0x80000000 | SLOT << 11 | register}")
        return int(self.ask("inl 0xcfc"), 0)

    def write(self, offset: int, value: int) -> None:
        self.ask(f"writel {BASE + offset} {value}")

    def read(self, offset: int) -> int:
        return int(self.ask(f"readl {BASE + offset}"), 0)

    def expect_refused(self, words: str) -> None:
        """The program has ended with one line that has these words."""
        tap.expect_equal(self.process.wait(SECONDS), 1, "status")
        last = self.said().splitlines()[-1]
        tap.expect_equal(self.said().count("rhea: "), 1, self.said())
        tap.expect(words in last and "-device" in last, f"expected {words!r}: {last!r}")

    def expect_given_up(self, name: str, words: str) -> None:
        """One warning about the device, and no more."""
        said = self.said()
        if said.count("\n") != 1 or words not in said or f"{name}: " not in said:
            raise tap.Failure(f"expected one line with {words!r}: {said!r}", said)
