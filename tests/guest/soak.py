# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks for as long as one likes: RHEA_SOAK_SECONDS (an hour), from RHEA_SOAK_SEED on.

A round is one emulator. Either hostile guests run in it while a client sends commands as they come,
and it is then ended in one of three ways; or it is started with files that are broken. What must
hold: no death by a signal that nobody sent, answers and ends in time, memory within its bound.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import attacked as hostile  # noqa: E402
import tap  # noqa: E402
from emulator import program  # noqa: E402
from qmp import QmpError, QmpLate  # noqa: E402

SECONDS = float(os.environ.get("RHEA_SOAK_SECONDS", "3600"))
SEED = int(os.environ.get("RHEA_SOAK_SEED", "1"))
COMMANDS_A_ROUND = 60
COMMAND_SECONDS = 600.0
REPORT_EVERY = 60.0
START_UP_SECONDS = 20.0


def commands(chance: random.Random, folder: Path) -> list[tuple[str, dict]]:
    """What a client may say at any time; some of it fails, and none of it may do harm."""
    address = chance.choice([0, 0xa0000, 0xc0000, 1 << 20, 0xfee00000, 1 << 40])
    size = chance.choice([1, 4096, 1 << 20, 64 << 20])
    return [
        ("stop", {}), ("cont", {}), ("system_reset", {}), ("query-status", {}), ("query-pci", {}),
        ("query-cpus-fast", {}), ("query-block", {}), ("query-chardev", {}), ("inject-nmi", {}),
        ("screendump", {"filename": str(folder / "screen.ppm")}),
        ("screendump", {"filename": "/no/such/folder"}),
        ("pmemsave", {"val": address, "size": size, "filename": str(folder / "memory")}),
        ("memsave", {"val": address, "size": size, "filename": str(folder / "memory")}),
        ("device_add", {"driver": "edu", "id": "e"}), ("device_del", {"id": "e"}),
        ("device_add", {"driver": "VGA", "id": "v"}), ("device_del", {"id": "v"}),
        ("send-key", {"keys": [{"type": "qcode", "data": chance.choice(["a", "ret", "ctrl"])}]}),
        ("human-monitor-command", {"command_line": chance.choice(
            ["info registers -a", "info mtree", "info qtree", "x/16x 0", "xp/8i 0xf0000",
             "info tlb", "sum 0 1048576", "gva2gpa 0x1000", "i /b 0x3d5", "o /b 0x80 1"])}),
    ]


def guest_round(chance: random.Random, rhea: Path, images: Path, folder: Path) -> str:
    name = chance.choice(sorted(hostile.ATTACKS))
    attacked = hostile.Attacked(rhea, images / f"hostile-{name}.img", hostile.ATTACKS[name], folder)
    try:
        for _ in range(chance.randrange(COMMANDS_A_ROUND)):
            command, arguments = chance.choice(commands(chance, folder))
            try:
                # Saving memory takes long on a loaded host, and a client's commands wait for each other.
                attacked.qmp.execute(command, COMMAND_SECONDS, **arguments)
            except QmpLate:
                raise tap.Failure(f"{name}: {command} {arguments} never ends") from None
            except QmpError as refused:
                tap.expect(attacked.process.poll() is None, f"{command}: {refused}, and it ended")
        hostile.longest_answer(attacked.qmp)
        hostile.expect_bounded(attacked.process.pid)
        how = chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
        attacked.end(how)
        return f"{name}, {how.name}"
    finally:
        attacked.close()


def broken(chance: random.Random, source: bytes) -> bytes:
    data = bytearray(source)
    for _ in range(chance.randrange(1, 40)):
        where = chance.randrange(len(data))
        what = chance.randrange(3)
        if what == 0:
            data[where] = chance.randrange(256)
        elif what == 1:
            data[where:where + 4] = chance.choice([b"\xff\xff\xff\xff", bytes(4), b"\0\0\0\x80"])
        else:
            del data[where:where + chance.randrange(64)]
        if not data:
            return b"\0"
    return bytes(data)


def start_up_round(chance: random.Random, rhea: Path, images: Path, folder: Path) -> str:
    source = chance.choice(sorted(images.glob("kernel-*.img")))
    file = folder / "broken"
    file.write_bytes(broken(chance, source.read_bytes()))
    option = chance.choice(["-kernel", "-kernel", "-kernel", "-initrd", "-bios", "-option-rom"])
    command = [str(rhea), "-accel", "tcg", "-m", "64", "-display", "none", "-nodefaults",
               option, str(file)]
    if option == "-initrd":
        command += ["-kernel", str(source)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        status = process.wait(timeout=chance.uniform(0.2, 2))
        tap.expect(status in (0, 1), f"{option} {source.name}: status {status}")
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=START_UP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise tap.Failure(f"{option} {source.name}: deaf to SIGTERM") from None
    return f"{option} of a broken {source.name}"


def soak(rhea: Path, images: Path) -> None:
    end = time.monotonic() + SECONDS
    told = time.monotonic()
    number = 0
    while time.monotonic() < end:
        seed = SEED + number
        chance = random.Random(seed)
        kind = guest_round if chance.random() < 0.3 else start_up_round
        with tempfile.TemporaryDirectory(prefix="rhea-guest-") as folder:
            try:
                what = kind(chance, rhea, images, Path(folder))
            except tap.Failure as failure:
                raise tap.Failure(f"RHEA_SOAK_SEED={seed}: {failure}") from failure
        number += 1
        if time.monotonic() - told > REPORT_EVERY:
            told = time.monotonic()
            tap.comment(f"{number} rounds, {end - told:.0f} s to go; the last: {what}")
    tap.comment(f"{number} rounds")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True)
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()
    return tap.run([("soak", lambda: soak(options.rhea, options.images))])


if __name__ == "__main__":
    sys.exit(main())
