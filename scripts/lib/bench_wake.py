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


def answer(guest: Measured, kind: str) -> tuple[float, bytes] | None:
    """How long all rounds took, in microseconds, and what the guest then told of them."""
    begin = time.monotonic()
    guest.say(KINDS[kind])
    seen, took = b"", 0.0
    while len(seen) < 8 + 4 * ROUNDS:
        piece = guest.read(begin + LOOP_SECONDS - time.monotonic())
        if not piece:
            return None
        took = took or (time.monotonic() - begin) * 1e6
        seen += piece
    return took, seen


def one_loop(guest: Measured, kind: str) -> float | None:
    """The median of the rounds, in microseconds, less what the timer was to take."""
    told = answer(guest, kind)
    if told is None:
        return None
    took, data = told
    ticks, *rounds = struct.unpack(f"<Q{ROUNDS}I", data)
    median = statistics.median(rounds) * took / ticks
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
