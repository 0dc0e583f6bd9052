# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a software processor takes to wake from HLT: the boot sector of bench/wake.asm, on a host
that is idle and on one with a load of its own."""

from __future__ import annotations

import contextlib
import statistics
import struct
import subprocess
import time
from pathlib import Path

from processes import Measured
from samples import Samples

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = {"timer": b"1", "IPI and back": b"2"}
LOADS = {"idle": 0, "loaded": 10}
ROUNDS = 300
MICROSECONDS = 300
BOOT_SECONDS = 60.0
LOOP_SECONDS = 60.0


def name(kind: str, load: str) -> str:
    return f"{kind}, {load}"


ROWS = [(name(kind, load), "{:.1f}") for load in LOADS for kind in KINDS]


def machine(emulator: str, image: Path) -> list[str]:
    return [emulator, "-accel", "tcg", "-smp", "2", "-m", "64", "-display", "none", "-nic", "none",
            "-monitor", "none", "-serial", "stdio", "-snapshot",
            "-drive", f"file={image},format=raw,if=ide"]


def read(guest: Measured, size: int) -> bytes | None:
    seen, limit = b"", time.monotonic() + LOOP_SECONDS
    while len(seen) < size and time.monotonic() < limit:
        seen += guest.read(limit - time.monotonic())
    return seen if len(seen) == size else None


def one_loop(guest: Measured, kind: str) -> float | None:
    """The median of the rounds, in microseconds, less what the timer was to take."""
    begin = time.monotonic()
    guest.say(KINDS[kind])
    head = read(guest, 8)
    took = time.monotonic() - begin
    rest = read(guest, 4 * ROUNDS)
    if head is None or rest is None:
        return None
    tick = took * 1e6 / struct.unpack("<Q", head)[0]
    median = statistics.median(struct.unpack(f"<{ROUNDS}I", rest)) * tick
    return median - (MICROSECONDS if kind == "timer" else 0)


@contextlib.contextmanager
def load(processes: int):
    """So many processes that compute for ever."""
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def measure(emulators: dict[str, str], folder: Path, runs: int, samples: Samples, progress) -> None:
    image = folder / "wake.img"
    subprocess.run(["nasm", "-f", "bin", f"-DROUNDS={ROUNDS}", f"-DMICROSECONDS={MICROSECONDS}",
                    "-o", image, ROOT / "bench/wake.asm"], check=True)
    with contextlib.ExitStack() as stack:
        guests = {}
        for who, emulator in emulators.items():
            progress(f"booting {who}")
            guests[who] = stack.enter_context(Measured(machine(emulator, image)))
            if not guests[who].wait_for(b"B", BOOT_SECONDS):
                raise RuntimeError(f"{who}: the guest of bench/wake.asm does not start")
        for how, processes in LOADS.items():
            with load(processes):
                for run in range(runs):
                    progress(f"wake-up, {how}, round {run + 1} of {runs}")
                    for kind in KINDS:
                        for who, guest in guests.items():
                            samples.add(name(kind, how), who, one_loop(guest, kind))
