# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots GRUB's rescue images to the menu and moves its bar with a key."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import seabios  # noqa: E402
import tap  # noqa: E402
from emulator import Emulator, need_kvm, program  # noqa: E402

FOLDER = Path("/usr/lib/grub-rescue")
DISC = FOLDER / "grub-rescue-cdrom.iso"
STICK = FOLDER / "grub-rescue-usb.img"
FLOPPY = FOLDER / "grub-rescue-floppy.img"
TEXT_ROW = 16
MENU_SECONDS = 400.0


def wait_for_bar(emulator: Emulator, what: str, condition) -> int:
    """The bar's row on the first of two equal pictures on which the condition holds for it."""
    last = None

    def settled():
        nonlocal last
        screen = emulator.try_screen()
        bar = screen.menu_bar() if screen and screen != last else None
        last = screen
        return bar is not None and condition(bar) and (bar + 1)

    return emulator.wait_for(settled, what, MENU_SECONDS) - 1


def move_bar(emulator: Emulator) -> None:
    first = wait_for_bar(emulator, "menu", lambda bar: True)
    before = emulator.screen()
    emulator.qmp.hmp("sendkey down")
    row = wait_for_bar(emulator, "bar in the next line", lambda bar: bar != first)
    tap.expect_equal(row - first, TEXT_ROW, "the bar's way down")
    tap.expect(emulator.screen() != before, "the key has changed the screen")
    emulator.qmp.execute("send-key", keys=[{"type": "qcode", "data": "up"}])
    row = wait_for_bar(emulator, "bar in the first line", lambda bar: bar == first)
    log = emulator.said()
    missing, troubles = seabios.missing(log), seabios.troubles(log)
    if missing or troubles:
        raise emulator.failure(f"SeaBIOS's log lacks {missing}, complains {troubles}")
    emulator.qmp.execute("quit")
    emulator.expect_end(0)


def boot(options: argparse.Namespace, image: Path, media: list[str], irqchip: str) -> None:
    if options.accel == "kvm":
        need_kvm()
    if not image.exists():
        raise tap.Skip(f"{image} is not there: Debian's package grub-rescue-pc has it")
    machine = ["-accel", options.accel, "-m", "96", "-snapshot"]
    if options.accel == "kvm":
        machine += ["-machine", f"kernel-irqchip={irqchip}"]
    with Emulator(options.rhea, [*machine, *media]) as emulator:
        move_bar(emulator)


BOOTS = {
    "cdrom": (DISC, ["-cdrom", str(DISC), "-boot", "d"], "on"),
    "cdrom-split": (DISC, ["-cdrom", str(DISC), "-boot", "d"], "split"),
    "disk": (STICK, ["-drive", f"file={STICK},format=raw", "-boot", "c"], "on"),
    "floppy": (FLOPPY, ["-drive", f"file={FLOPPY},format=raw,if=floppy", "-boot", "a"], "on"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    parser.add_argument("--accel", default="kvm")
    parser.add_argument("boots", nargs="*", choices=[[], *BOOTS])
    options = parser.parse_args()
    return tap.run([(f"GRUB from {name}", lambda name=name: boot(options, *BOOTS[name]))
                    for name in options.boots or BOOTS])


if __name__ == "__main__":
    sys.exit(main())
