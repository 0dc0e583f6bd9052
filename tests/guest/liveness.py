# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that do what takes long, as fast as four processors can, with peers that read nothing: the
monitor answers, memory stays bounded, SIGTERM ends the program.

The promise (docs/manual.md) is a second for an answer and three for the end on two processors that
have other work, too. RHEA_PROMPT=1 holds it to that; without it there is time for a machine that is
busy with other tests.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import attacked as hostile  # noqa: E402
import tap  # noqa: E402
from emulator import program  # noqa: E402


def withstand(rhea: Path, images: Path, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rhea-guest-") as folder:
        attacked = hostile.Attacked(rhea, images / f"hostile-{name}.img", hostile.ATTACKS[name],
                                     Path(folder))
        try:
            longest = hostile.longest_answer(attacked.qmp)
            resident = hostile.expect_bounded(attacked.process.pid)
            took = attacked.end(signal.SIGTERM)
            tap.comment(f"{name}: longest answer {longest:.3f} s, end {took:.3f} s, {resident} MiB")
        finally:
            attacked.close()


# A few lines a second of each kind, and how many there were beside them.
MOST_LINES_A_SECOND = 100


def bounded_log(rhea: Path, images: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="rhea-guest-") as name:
        folder = Path(name)
        began = time.monotonic()
        attacked = hostile.Attacked(rhea, images / "hostile-errors.img", hostile.ATTACKS["errors"], folder)
        try:
            hostile.longest_answer(attacked.qmp)
            attacked.end(signal.SIGTERM)
        finally:
            attacked.close()
        lines = (folder / "log").read_text(encoding="utf-8").splitlines()
        seconds = time.monotonic() - began
        tap.expect(any("the data register was read" in line for line in lines), "nothing is logged")
        tap.expect(any(" more like " in line for line in lines), "it does not say how many are not shown")
        tap.expect(len(lines) <= MOST_LINES_A_SECOND * (seconds + 1), f"{len(lines)} lines in {seconds:.1f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True)
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()

    def case(name: str) -> None:
        withstand(options.rhea, options.images, name)
    cases = [(f"withstands {name}", lambda name=name: case(name)) for name in hostile.ATTACKS]
    return tap.run([*cases, ("the log of a guest in a loop is bounded",
                             lambda: bounded_log(options.rhea, options.images))])


if __name__ == "__main__":
    sys.exit(main())
