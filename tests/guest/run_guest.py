# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs boot-sector guests in the emulator, one test case for each kind of interrupt controllers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import tap  # noqa: E402
from emulator import Emulator, need_kvm, program  # noqa: E402
from guests import GUESTS, Guest, options_of  # noqa: E402


def run_guest(guest: Guest, irqchip: str, options: argparse.Namespace) -> None:
    if options.accel == "kvm":
        need_kvm()
    for path in guest.needs:
        if not path.exists():
            raise tap.Skip(f"{path} is not there")
    with Emulator(options.rhea,
                  options_of(guest, options.images, options.accel, irqchip)) as emulator:
        guest.act(emulator)
        emulator.check_translation()


def cases(options: argparse.Namespace):
    for name in options.names or GUESTS:
        guest = GUESTS[name]
        irqchips = guest.irqchips if options.accel == "kvm" else ("",)
        for irqchip in irqchips:
            title = f"{name}, kernel-irqchip={irqchip}" if irqchip else name
            yield title, lambda guest=guest, irqchip=irqchip: run_guest(guest, irqchip, options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    parser.add_argument("--images", type=lambda name: Path(name).resolve(), required=True,
                        help="folder of the guests' images")
    parser.add_argument("--accel", default="kvm")
    parser.add_argument("names", nargs="*", help="guests (default: all)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in GUESTS]
    if unknown:
        parser.error(f"no such guest: {', '.join(unknown)}")
    return tap.run(list(cases(options)))


if __name__ == "__main__":
    sys.exit(main())
