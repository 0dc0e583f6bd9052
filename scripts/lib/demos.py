# SPDX-License-Identifier: GPL-2.0-or-later
"""What quickstart can boot: how the machine is started, and how it shows that it is up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import png
import text_screen
import tree
from hmp import Monitor

sys.path.insert(0, str(tree.ROOT / "tests" / "guest" / "images"))
from cache import Cache  # noqa: E402
from packages import PackageError  # noqa: E402

DISC = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")
SHELL_PROMPT = "guest:/#"


class DemoError(Exception):
    """What is missing for a boot, in words."""


@dataclass(frozen=True)
class Demo:
    name: str
    options: tuple[str, ...]
    live: tuple[str, ...]  # added where a terminal shows the guest
    still: tuple[str, ...]  # added where a picture is wanted
    hint: str  # said before the guest has the terminal
    is_up: Callable[[Monitor, png.Picture], bool]


def menu_is_up(_: Monitor, picture: png.Picture) -> bool:
    """GRUB's menu has a bar on the chosen line: a band of rows lit nearly from side to side."""
    band = 0
    for row in range(picture.height):
        band = band + 1 if picture.lit(row) > picture.width * 0.8 else 0
        if band >= 6:
            return True
    return False


def shell_is_up(monitor: Monitor, _: png.Picture) -> bool:
    return SHELL_PROMPT in text_screen.read(monitor.command)


def grub() -> Demo:
    if not DISC.is_file():
        raise DemoError(f"{DISC} is not there; scripts/install-deps demo installs it")
    return Demo("GRUB's menu", ("-m", "96", "-cdrom", str(DISC), "-boot", "d"),
                ("-display", "curses"), ("-display", "none"),
                "GRUB's rescue disc; Ctrl-] and then x ends the emulator.",
                menu_is_up)


def linux() -> Demo:
    cache = Cache()
    if not cache.is_fresh("linux-amd64"):
        print("taking Debian's kernel and busybox out of their packages (once)", flush=True)
    try:
        folder = cache.get("linux-amd64")
    except PackageError as error:
        raise DemoError(str(error)) from None
    kernel = ("-m", "256", "-kernel", str(folder / "linux"), "-initrd", str(folder / "initrd"))
    return Demo("Debian's shell", kernel,
                ("-append", "console=ttyS0", "-display", "none", "-serial", "mon:stdio"),
                ("-append", "console=tty0", "-display", "none"),
                "Debian's kernel and busybox; the terminal is the guest's serial line.\n"
                "`exit` powers the guest off; Ctrl-A X ends the emulator at any time.",
                shell_is_up)


DEMOS: dict[str, Callable[[], Demo]] = {"linux": linux, "grub": grub}
