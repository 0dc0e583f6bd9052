# SPDX-License-Identifier: GPL-2.0-or-later
"""What software CPUs do in a second: the boot sector of bench/instructions.asm, one boot a round and
emulator. Bochs takes part where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from processes import Measured
from samples import Samples

ROOT = Path(__file__).resolve().parent.parent.parent
# In the order of bench/instructions.asm, and how many of what are done for each million.
KINDS = {
    "registers": (1.0, "instructions"),
    "memory": (1.0, "instructions"),
    "calls": (1.0, "instructions"),
    "branches": (1.0, "instructions"),
    "scalar SSE2": (1.0, "instructions"),
    "packed SSE2": (1.0, "instructions"),
    "x87": (1.0, "instructions"),
    "rep movsb": (1.0, "bytes"),
    "repe scasb": (1.0, "bytes"),
    "system calls": (1e-3, "there and back"),
    "page faults": (1e-3, "with INVLPG"),
    "CR3 and 8 pages": (1e-3, "times"),
    "patched code": (1e-3, "times"),
    "code executed once": (1 / 50, "instructions"),
}
KIND_SECONDS = 120.0
BOOT_SECONDS = 60.0
BOCHS = "bochs"
BOCHS_FOLDER = Path("/usr/share/bochs")
# Bochs insists on a disk with a geometry.
CYLINDERS, HEADS, SECTORS = 20, 16, 63


def build(folder: Path, millions: int, waits: bool) -> Path:
    image = folder / f"instructions{waits:d}.img"
    subprocess.run(["nasm", "-f", "bin", f"-DMILLIONS={millions}", *["-DWAITS"] * waits,
                    "-o", image, ROOT / "bench/instructions.asm"], check=True)
    with image.open("r+b") as disk:
        disk.truncate(CYLINDERS * HEADS * SECTORS * 512)
    return image


def command(emulator: str, image: Path) -> list[str]:
    return [emulator, "-accel", "tcg", "-m", "64", "-display", "none", "-nic", "none",
            "-monitor", "none", "-serial", "stdio", "-snapshot",
            "-drive", f"file={image},format=raw,if=ide"]


def bochs_command(image: Path, folder: Path) -> list[str]:
    settings = folder / "bochsrc"
    settings.write_text(f"""\
config_interface: textconfig
display_library: rfb, options="timeout=0"
cpu: count=1, ips=100000000
memory: guest=64, host=64
romimage: file={BOCHS_FOLDER}/BIOS-bochs-latest
vgaromimage: file={BOCHS_FOLDER}/VGABIOS-lgpl-latest
ata0-master: type=disk, path={image}, mode=flat, cylinders={CYLINDERS}, heads={HEADS}, spt={SECTORS}
boot: disk
com1: enabled=1, mode=file, dev={folder / "com1"}
log: {folder / "bochs.log"}
""", encoding="ascii")
    return [BOCHS, "-q", "-f", str(settings)]


class Guest:
    """What the guest says on COM1: a pipe, or the file that Bochs writes."""

    def __init__(self, process: Measured, file: Path | None) -> None:
        self.process, self.file, self.seen = process, file, 0

    def wait_for_one(self, byte: bytes, seconds: float) -> bool:
        if self.file is None:
            return self.process.wait_for(byte, seconds)
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self.file.exists() and self.file.stat().st_size > self.seen:
                self.seen += 1
                return True
            time.sleep(0.001)
        return False

    def go_on(self) -> None:
        if self.file is None:
            self.process.say(b"g")


def one_boot(who: str, guest: Guest, millions: int, samples: Samples) -> None:
    if not guest.wait_for_one(b"B", BOOT_SECONDS):
        raise RuntimeError(f"{who}: the guest of bench/instructions.asm does not start")
    for kind in KINDS:
        before = guest.process.cpu_seconds()
        guest.go_on()
        done = guest.wait_for_one(b"E", KIND_SECONDS)
        spent = guest.process.cpu_seconds() - before
        samples.add(kind, who, millions * KINDS[kind][0] / spent if done and spent > 0 else None)


def measure(emulators: dict[str, str], folder: Path, millions: int, runs: int, samples: Samples,
            progress) -> None:
    image = build(folder, millions, True)
    commands = {who: (command(emulator, image), None) for who, emulator in emulators.items()}
    if shutil.which(BOCHS):
        # What it has on COM1 is a file, from which nothing comes.
        commands[BOCHS] = (bochs_command(build(folder, millions, False), folder), folder / "com1")
    for run in range(runs):
        for who, (arguments, file) in commands.items():
            progress(f"instructions, round {run + 1} of {runs}: {who}")
            if file is not None:
                file.unlink(missing_ok=True)
            with Measured(arguments) as process:
                if file is not None:
                    process.say(b"c\n")  # Debian's Bochs begins in its debugger
                one_boot(who, Guest(process, file), millions, samples)
