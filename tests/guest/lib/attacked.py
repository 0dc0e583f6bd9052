# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that do what takes long, as fast as four processors can, with peers that read nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import tap
from qmp import Qmp, QmpError

STRICT = os.environ.get("RHEA_PROMPT") == "1"
ANSWER_SECONDS = 1.0 if STRICT else 10.0
END_SECONDS = 3.0 if STRICT else 20.0
START_SECONDS = 120.0
CPUS = 4
RAM_MIB = 128
MOST_MIB = RAM_MIB + 150 + 30 * CPUS
ASKED = 10

ATTACKS = {
    "fw-cfg-dma": ["-device", "isa-debugcon,iobase=0x402,chardev=said"],
    "vbe-clear": ["-device", "isa-debugcon,iobase=0x402,chardev=said"],
    "debug-console": ["-device", "isa-debugcon,iobase=0x402,chardev=said",
                      "-device", "isa-debugcon,iobase=0xe9,chardev=deaf"],
    "serial-line": ["-device", "isa-debugcon,iobase=0x402,chardev=said", "-serial", "chardev:deaf"],
    "memory-map": ["-device", "isa-debugcon,iobase=0x402,chardev=said"],
    "apic-timer": ["-device", "isa-debugcon,iobase=0x402,chardev=said"],
    "errors": ["-device", "isa-debugcon,iobase=0x402,chardev=said", "-d", "guest_errors,unimp"],
}


def resident_mib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


class Attacked:
    """The emulator with a guest that is at it."""

    def __init__(self, rhea: Path, image: Path, options: list[str], folder: Path) -> None:
        # A peer that takes the connection and reads nothing.
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "deaf"))
        self.listener.listen()
        said = folder / "said"
        command = [str(rhea), "-accel", "tcg", "-smp", str(CPUS), "-m", str(RAM_MIB),
                   "-display", "none", "-monitor", "none",
                   "-drive", f"file={image},format=raw,snapshot=on",
                   "-chardev", f"file,id=said,path={said}",
                   "-chardev", f"socket,id=deaf,path={folder / 'deaf'}",
                   "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off",
                   "-D", str(folder / "log"), *options]
        if "chardev:deaf" not in options:
            command += ["-serial", "none"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.qmp = self.connected(folder / "qmp")
        deadline = time.monotonic() + START_SECONDS
        while not said.is_file() or b"attack" not in said.read_bytes():
            tap.expect(self.process.poll() is None, "the emulator has ended")
            tap.expect(time.monotonic() < deadline, "the guest does not come to its attack")
            time.sleep(0.05)

    def connected(self, path: Path) -> Qmp:
        try:
            return Qmp(path, START_SECONDS, lambda: self.process.poll() is None)
        except QmpError as error:
            self.process.kill()
            said = self.process.communicate()[1].decode(errors="replace").strip()
            raise tap.Failure(f"{error}: {said or 'it says nothing'}") from error

    def end(self, how: signal.Signals) -> float:
        """Ends it by a signal; how long that took."""
        before = time.monotonic()
        self.process.send_signal(how)
        try:
            self.process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            raise tap.Failure(f"{how.name} does not end it in {END_SECONDS} s") from None
        tap.expect(self.process.returncode in (0, -signal.SIGKILL),
                   f"status {self.process.returncode}")
        return time.monotonic() - before

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.listener.close()


def expect_bounded(pid: int) -> int:
    """How much memory is resident, in MiB."""
    resident = resident_mib(pid)
    tap.expect(resident <= MOST_MIB, f"{resident} MiB are resident, more than {MOST_MIB}")
    return resident


def longest_answer(qmp: Qmp) -> float:
    longest = 0.0
    for _ in range(ASKED):
        before = time.monotonic()
        qmp.execute("query-status", ANSWER_SECONDS)
        longest = max(longest, time.monotonic() - before)
        time.sleep(0.1)
    return longest
