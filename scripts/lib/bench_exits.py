# SPDX-License-Identifier: GPL-2.0-or-later
"""Exits of each kind: a bare KVM_RUN loop and emulators run the same guest and take turns."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path

from processes import Measured
from samples import Samples

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = "limit"
# In the order of the loops in bench/exits.asm.
KINDS = ["out", "in", "debug console: null", "debug console: file", "PCI configuration", "MMIO read",
         "MMIO write"]
BOOT_SECONDS = 180.0
LOOP_SECONDS = 120.0
# After its last byte the guest still has to halt.
HALT_SECONDS = 0.003


def machine(emulator: str, image: Path, debug_file: Path) -> list[str]:
    return [emulator, "-accel", "kvm", "-m", "128", "-display", "none", "-nic", "none",
            "-monitor", "none", "-serial", "stdio", "-snapshot",
            "-chardev", "null,id=null", "-device", "isa-debugcon,iobase=0x402,chardev=null",
            "-chardev", f"file,id=file,path={debug_file}",
            "-device", "isa-debugcon,iobase=0xe9,chardev=file",
            "-drive", f"file={image},format=raw,if=ide"]


def build(folder: Path, count: int) -> tuple[Path, Path]:
    image, limit = folder / "exits.img", folder / "kvm_limit"
    subprocess.run(["nasm", "-f", "bin", f"-DCOUNT={count}", "-o", image, ROOT / "bench/exits.asm"],
                   check=True)
    subprocess.run(["g++", "-std=c++20", "-O2", "-o", limit, ROOT / "bench/kvm_limit.cc"],
                   check=True)
    return image, limit


def loop(guest: Measured, kind: int, count: int) -> tuple[float | None, float | None]:
    """Exits a second, and exits a second of CPU time of the whole process."""
    cpu, begin = guest.cpu_seconds(), time.monotonic()
    guest.say(b"%d" % (kind + 1))
    if not guest.wait_for(b"E", LOOP_SECONDS):
        return None, None
    took = time.monotonic() - begin
    time.sleep(HALT_SECONDS)
    return count / took, count / (guest.cpu_seconds() - cpu)


def cpu(kind: str) -> str:
    """The name under which rates by CPU time are kept."""
    return f"{kind}, CPU"


def measure(emulators: dict[str, str], folder: Path, count: int, runs: int, samples: Samples,
            progress) -> None:
    image, limit = build(folder, count)
    commands = {LIMIT: [str(limit), str(image)]}
    for who, emulator in emulators.items():
        commands[who] = machine(emulator, image, folder / f"{who}.log")
    with contextlib.ExitStack() as stack:
        guests = {}
        for who, command in commands.items():
            progress(f"booting {who}")
            guest = stack.enter_context(Measured(command))
            if not guest.wait_for(b"B", BOOT_SECONDS):
                raise RuntimeError(f"{who}: the guest of bench/exits.asm does not start")
            guests[who] = guest
        order = list(guests)
        for run in range(runs):
            for number, kind in enumerate(KINDS):
                progress(f"round {run + 1} of {runs}: {kind}")
                for who in order:
                    wall, busy = loop(guests[who], number, count)
                    samples.add(kind, who, wall)
                    samples.add(cpu(kind), who, busy)
                order.append(order.pop(0))
