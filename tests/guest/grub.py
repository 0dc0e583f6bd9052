# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots GRUB's rescue images to the menu and moves its bar with a key."""

from __future__ import annotations

import argparse
import sys
import time
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
STILL_SECONDS = 5.0


def wait_for_bar(emulator: Emulator, what: str, condition) -> int:
    """The bar's row when the condition holds for it on a picture that has stood still for a while:
    GRUB draws slowly here, and drops keys that come before it has drawn its menu."""
    last = None
    since = time.monotonic()

    def settled():
        nonlocal last, since
        screen = emulator.try_screen()
        if not screen:
            return False
        if screen != last:
            last, since = screen, time.monotonic()
        bar = screen.menu_bar()
        still = time.monotonic() - since >= STILL_SECONDS
        return still and bar is not None and condition(bar) and (bar + 1)

    return emulator.wait_for(settled, what, MENU_SECONDS) - 1


def see_bar(emulator: Emulator) -> bool:
    screen = emulator.try_screen()
    return bool(screen) and screen.menu_bar() is not None


def move_bar(emulator: Emulator) -> None:
    emulator.wait_for(lambda: see_bar(emulator), "menu", MENU_SECONDS)
    # Any key ends the countdown to the first entry, of which each second is a new picture.
    emulator.qmp.hmp("sendkey up")
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
    "floppy": (FLOPPY, ["-drive", f"file={FLOPPY},format=raw,if=floppy", "-boot", "a"],
               "split"),  # with `on` no floppy boots on a KVM that emulates guests: docs/kvm.md
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
