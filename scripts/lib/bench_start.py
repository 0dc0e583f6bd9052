# SPDX-License-Identifier: GPL-2.0-or-later
"""Start-up: from exec to SeaBIOS's first debug byte, and memory once the firmware has run."""

from __future__ import annotations

import time

from processes import Measured
from samples import Samples

FIRST_BYTE, FIRST_BYTE_CPU, RESIDENT = "first byte", "first byte, CPU", "resident"
ROWS = [(FIRST_BYTE, "{:.4f} s"), (FIRST_BYTE_CPU, "{:.4f} s"), (RESIDENT, "{:.1f} MiB")]
FIRMWARE_SECONDS = 180.0
SETTLE_SECONDS = 0.5


def machine(emulator: str) -> list[str]:
    return [emulator, "-accel", "kvm", "-m", "128", "-display", "none", "-nic", "none",
            "-monitor", "none", "-serial", "none",
            "-chardev", "stdio,id=d", "-device", "isa-debugcon,iobase=0x402,chardev=d"]


def first_byte(emulator: str) -> tuple[float | None, float | None]:
    """Seconds, and seconds of CPU time, until there is a byte."""
    with Measured(machine(emulator)) as guest:
        if not guest.wait_for(b"", FIRMWARE_SECONDS):
            return None, None
        return time.monotonic() - guest.started, guest.cpu_seconds()


def resident(emulator: str) -> float | None:
    """MiB when SeaBIOS has found nothing to boot from."""
    with Measured(machine(emulator)) as guest:
        if not guest.wait_for(b"Booting from", FIRMWARE_SECONDS):
            return None
        time.sleep(SETTLE_SECONDS)
        return guest.resident_mib()


def measure(emulators: dict[str, str], runs: int, samples: Samples, progress) -> None:
    for run in range(runs):
        progress(f"start {run + 1} of {runs}")
        for who, emulator in emulators.items():
            wall, busy = first_byte(emulator)
            samples.add(FIRST_BYTE, who, wall)
            samples.add(FIRST_BYTE_CPU, who, busy)
    for who, emulator in emulators.items():
        progress(f"memory of {who}")
        samples.add(RESIDENT, who, resident(emulator))
