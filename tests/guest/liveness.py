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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True)
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()

    def case(name: str) -> None:
        withstand(options.rhea, options.images, name)
    return tap.run([(f"withstands {name}", lambda name=name: case(name)) for name in hostile.ATTACKS])


if __name__ == "__main__":
    sys.exit(main())
