# SPDX-License-Identifier: GPL-2.0-or-later
"""GRUB's rescue disc: from exec to its menu, and from a key to the menu drawn again."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from processes import cpu_seconds
from samples import Samples

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/guest/lib"))
from emulator import Emulator, program  # noqa: E402
from screen import Screen  # noqa: E402

DISC = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")
MENU, REDRAW = "menu", "redraw after a key"
ROWS = [(name, "{:.2f} s") for what in (MENU, REDRAW) for name in (what, f"{what}, CPU")]
LIMIT_SECONDS = 600.0
# A picture that has not changed for so long is finished. GRUB drops keys that come before.
STILL_SECONDS = 5.0
LOOK_SECONDS = 0.1


@dataclass
class Moment:
    wall: float
    cpu: float


def now(emulator: Emulator) -> Moment:
    return Moment(time.monotonic(), cpu_seconds(emulator.process.pid))


def wait_for_menu(emulator: Emulator, elsewhere_than: int | None) -> tuple[int, Moment]:
    """The row of the menu's bar, and when the picture came that then stood still."""
    last: Screen | None = None
    since = now(emulator)

    def settled():
        nonlocal last, since
        time.sleep(LOOK_SECONDS)
        screen = emulator.try_screen()
        if screen != last:
            last, since = screen, now(emulator)
        if not screen or time.monotonic() - since.wall < STILL_SECONDS:
            return None
        bar = screen.menu_bar()
        return (bar, since) if bar is not None and bar != elsewhere_than else None

    return emulator.wait_for(settled, "menu", LIMIT_SECONDS)


def boot(name: str) -> dict[str, Moment]:
    """What each thing took."""
    start = time.monotonic()
    options = ["-accel", "kvm", "-m", "96", "-cdrom", str(DISC), "-boot", "d"]
    with Emulator(program(name), options) as emulator:
        bar, menu = wait_for_menu(emulator, None)
        key = now(emulator)
        emulator.qmp.hmp("sendkey down")
        _, redraw = wait_for_menu(emulator, bar)
        return {MENU: Moment(menu.wall - start, menu.cpu),
                REDRAW: Moment(redraw.wall - key.wall, redraw.cpu - key.cpu)}


def measure(emulators: dict[str, str], runs: int, samples: Samples, progress) -> None:
    order = list(emulators)
    for run in range(runs):
        for who in order:
            progress(f"GRUB {run + 1} of {runs}: {who}")
            for what, took in boot(emulators[who]).items():
                samples.add(what, who, took.wall)
                samples.add(f"{what}, CPU", who, took.cpu)
        order.reverse()
