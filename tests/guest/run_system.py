# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots real guests, in Rhea and then the same way in QEMU, and says how long each took."""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "lib"), str(HERE / "images")]
import tap  # noqa: E402
from cache import Cache  # noqa: E402
from emulator import Emulator, need_kvm, program  # noqa: E402
from packages import PackageError  # noqa: E402
from serial_line import SerialLine  # noqa: E402
from steps import Run  # noqa: E402
from systems import SYSTEMS, System  # noqa: E402

QEMU = "qemu-system-x86_64"


@dataclass(frozen=True)
class Took:
    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.processor:.1f} s of processor time)"


def processor_seconds() -> float:
    """Of all emulators that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def images_of(system: System) -> dict[str, Path]:
    if system.needs and not Path(system.needs).exists():
        raise tap.Skip(f"{system.needs} is not there; scripts/install-deps installs it")
    try:
        return {name: Cache().get(name) for name in system.images}
    except PackageError as error:
        raise tap.Skip(f"the guest's image cannot be made: {error}") from None


def boot(emulator: Path, accel: str, system: System, images: dict[str, Path],
         serial_log: Path | None, patience: float = 1) -> Took:
    options = ["-accel", accel, *(option.format_map(images) for option in system.options)]
    wall, processor = time.monotonic(), processor_seconds()
    line = SerialLine()
    try:
        with Emulator(emulator, [*options, *line.options]) as machine:
            run = Run(machine, line, system.seconds * patience)
            for step in system.steps:
                step(run)
            machine.check_translation()
    finally:
        line.close()
        if serial_log:
            serial_log.write_bytes(line.raw)
    return Took(time.monotonic() - wall, processor_seconds() - processor)


def compare(name: str, options: argparse.Namespace) -> None:
    system = SYSTEMS[name]
    if options.accel == "kvm":
        need_kvm()
    images = images_of(system)
    def log(emulator: str) -> Path | None:
        return options.logs and options.logs / f"{name}-{emulator}.log"

    ours = boot(options.emulator, options.accel, system, images, log(options.emulator.name),
                options.patience)
    tap.comment(f"{name}: {options.emulator.name} -accel {options.accel}: {ours}")
    qemu = shutil.which(QEMU)
    if not qemu or not options.compare:
        return
    theirs = boot(Path(qemu), "tcg", system, images, log(QEMU))
    tap.comment(f"{name}: {QEMU} -accel tcg: {theirs}")
    tap.comment(f"{name}: ratio {ours.wall / theirs.wall:.2f}, "
                f"of processor time {ours.processor / theirs.processor:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", dest="emulator", type=program, required=True,
                        help="the emulator; QEMU's name is good, too")
    parser.add_argument("--accel", default="tcg")
    parser.add_argument("--compare", action="store_true", help="the same in QEMU afterwards")
    parser.add_argument("--patience", type=float, default=1, metavar="TIMES",
                        help="how much longer than usual each step may take")
    parser.add_argument("--logs", type=Path, help="folder for what the serial lines said")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SYSTEMS)}")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SYSTEMS]
    if unknown:
        parser.error(f"no such guest: {', '.join(unknown)}")
    return tap.run([(f"{name} boots", lambda name=name: compare(name, options))
                    for name in options.names or SYSTEMS])


if __name__ == "__main__":
    sys.exit(main())
